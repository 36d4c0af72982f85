package main

import (
	"encoding/json"
	"time"
)

// frame is what server and page send each other as a message of the socket. Of a
// page's frames only Type, Text and Room are looked at: who speaks is known from
// the token.
//
// A page sends message (to its room), announce (to everybody, if it may) and join
// (to go to another room). It is sent room when it has come into one, message,
// announce, joined and left as they happen, people and rooms when those have
// changed, and error when what it sent is refused.
type frame struct {
	Type string `json:"type"`
	// ID rises from event to event, past restarts of the server too, so that a
	// page that reconnects can tell what it has shown already.
	ID   int64     `json:"id,omitzero"`
	From string    `json:"from,omitzero"`
	Text string    `json:"text,omitzero"`
	At   time.Time `json:"at,omitzero"`

	// Room is where a page is, or wants to go.
	Room string `json:"room,omitzero"`
	// Past is what was said there before.
	Past []frame `json:"past,omitzero"`
	// People are those who are there, and Rooms all rooms that there are.
	People []string `json:"people,omitzero"`
	Rooms  []string `json:"rooms,omitzero"`
	// Connection names the socket to the page that has it; see [logoutOthers].
	Connection string `json:"connection,omitzero"`
}

// encode returns a frame, or the answer of [rooms.refuseRenewal], as it is sent.
func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, numbers and times always encode
	}
	return data
}
