// Package messages knows the message that a client is shown for each code of a
// refusal, and the HTTP status of those that package httpauth does not know. The
// packages that define codes add theirs when the program starts.
package messages

var (
	all      = map[string]string{}
	statuses = map[string]int{}
)

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

// AddStatuses adds HTTP statuses by code, as [Add] adds messages.
func AddStatuses[C ~string](byCode map[C]int) {
	for code, status := range byCode {
		statuses[string(code)] = status
	}
}

// StatusOf returns the HTTP status of a code, and whether one was added.
func StatusOf(code string) (status int, ok bool) {
	status, ok = statuses[code]
	return status, ok
}
