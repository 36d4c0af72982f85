package redis

// ClockSlack is for how much longer than a record counts Redis keeps its key.
const ClockSlack = clockSlack

// Review asks the servers of a store what they are.
func Review(s *Store) { s.review() }
