package controller

// plainFields reads the body that nearly every client sends: one JSON object of strings in printable
// ASCII without escapes. It gives each field to take, and false as soon as the body is anything else, or
// take refuses a field; what is right or wrong with it is then for the whole decoder to say, which
// costs twenty times as much.
func plainFields(text string, take func(name, value string) bool) bool {
	rest, ok := after(text, '{')
	for ok {
		var name, value string
		if name, rest, ok = plainString(rest); !ok {
			return false
		}
		if rest, ok = after(rest, ':'); !ok {
			return false
		}
		if value, rest, ok = plainString(rest); !ok || !take(name, value) {
			return false
		}
		if end, closed := after(rest, '}'); closed {
			return skipBlanks(end) == ""
		}
		rest, ok = after(rest, ',')
	}
	return false
}

// plainString reads a string, and gives what comes behind it.
func plainString(text string) (value, rest string, ok bool) {
	if text, ok = after(text, '"'); !ok {
		return "", "", false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"':
			return text[:i], text[i+1:], true
		case c < ' ' || c > '~' || c == '\\':
			return "", "", false
		}
	}
	return "", "", false
}

// after returns what comes behind a character that may have blanks before it.
func after(text string, c byte) (rest string, ok bool) {
	if text = skipBlanks(text); text == "" || text[0] != c {
		return "", false
	}
	return text[1:], true
}

func skipBlanks(text string) string {
	for text != "" && (text[0] == ' ' || text[0] == '\n' || text[0] == '\r' || text[0] == '\t') {
		text = text[1:]
	}
	return text
}
