package finding

import (
	"regexp"
	"strings"
)

// Kubectl is a complete command, in the namespace where one is given. What
// comes from the cluster is quoted for the shell, since a dump may hold names
// that no API server would accept.
func Kubectl(namespace string, args ...string) string {
	words := []string{"kubectl"}
	if namespace != "" {
		words = append(words, "-n", Quote(namespace))
	}
	for _, a := range args {
		words = append(words, Quote(a))
	}
	return strings.Join(words, " ")
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=@,%+-]+$`)

// Quote makes one word of a POSIX shell command.
func Quote(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
