// Package messages knows the message that a client is shown for each code of a
// refusal. The packages that define codes add theirs when the program starts.
package messages

var all = map[string]string{}

// Add adds messages by code. Only the init function of a package calls it: nothing
// guards the table afterwards.
func Add[C ~string](messages map[C]string) {
	for code, message := range messages {
		all[string(code)] = message
	}
}

// Of returns the message of a code, and whether there is one.
func Of(code string) (message string, ok bool) {
	message, ok = all[code]
	return message, ok
}
