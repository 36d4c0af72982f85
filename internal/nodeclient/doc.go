// Package nodeclient runs programs written with Node.js and packages from npm, so that tests meet code that this module
// did not write.
//
// [Command] starts connect.mjs, a WebSocket client of the package ws, which prints one JSON object a line for everything
// that happens to its connection:
//
//	{"event":"open","protocol":"chat"}
//	{"event":"message","data":"hello"}
//	{"event":"close","code":1008,"reason":"token expired"}
//	{"event":"refused","status":401,"body":"…"}
//	{"event":"error","message":"…"}
//
// Its exit status is 0 after a close or a refused handshake and 1 after an error.
//
// [StartTokens] starts tokens.mjs, which makes and opens PASETO tokens with the packages paseto and paseto-ts.
//
// [Need] is for tests that run JavaScript of their own, such as that of documents.
package nodeclient
