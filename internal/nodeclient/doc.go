// Package nodeclient runs a WebSocket client written with Node.js and its ws package, so that tests meet a client that
// this module did not write. [Command] starts connect.mjs, which prints one JSON object a line for everything that
// happens to its connection:
//
//	{"event":"open","protocol":"chat"}
//	{"event":"message","data":"hello"}
//	{"event":"close","code":1008,"reason":"token expired"}
//	{"event":"refused","status":401,"body":"…"}
//	{"event":"error","message":"…"}
//
// Its exit status is 0 after a close or a refused handshake and 1 after an error.
package nodeclient
