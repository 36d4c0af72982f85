package wsauth

// ParseAuth is parseAuth: the token of a message, whether the message is one that
// should carry one, and what is wrong with it then.
func ParseAuth(data []byte) (token string, ours bool, err error) {
	m, err := parseAuth(data)
	return m.token, m.ours, err
}
