package source

import (
	"context"
	"testing"
	"time"
)

func TestALogAnswersForTheFewerLinesOfIt(t *testing.T) {
	whole := LogQuery{Namespace: "shop", Pod: "web", Container: "app"}
	some := LogQuery{Namespace: "shop", Pod: "job", UID: "u", Container: "app", Lines: 2}
	s := NewStore(time.Time{})
	s.PutLog(LogText{Query: whole, Text: "a\nb\nc\n"})
	s.PutLog(LogText{Query: some, Text: "a\nb\n"})
	for _, tt := range []struct {
		name  string
		query LogQuery
		want  string
		gap   bool
	}{
		{"the whole log has the last two lines", LogQuery{Namespace: "shop", Pod: "web", UID: "u", Container: "app", Lines: 2}, "b\nc\n", false},
		{"two lines have the last one", LogQuery{Namespace: "shop", Pod: "job", UID: "u", Container: "app", Lines: 1}, "b\n", false},
		{"two lines are not three", LogQuery{Namespace: "shop", Pod: "job", UID: "u", Container: "app", Lines: 3}, "", true},
		{"a namesake is not quoted", LogQuery{Namespace: "shop", Pod: "job", UID: "v", Container: "app", Lines: 1}, "", true},
		{"another instance is not quoted", LogQuery{Namespace: "shop", Pod: "web", Container: "app", Lines: 1, Previous: true}, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, gap := s.Log(context.Background(), tt.query)
			if text != tt.want || (gap != nil) != tt.gap {
				t.Errorf("%q, %+v", text, gap)
			}
		})
	}
}
