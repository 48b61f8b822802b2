package guardrollout

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/leadsman-dev/leadsman/pkg/index"
	"github.com/leadsman-dev/leadsman/pkg/object"
	"github.com/leadsman-dev/leadsman/pkg/report"
	"github.com/leadsman-dev/leadsman/pkg/rollout"
	"github.com/leadsman-dev/leadsman/pkg/rollout/back"
	"github.com/leadsman-dev/leadsman/pkg/term"
)

type view = *index.View

// decide asks the judgement about a target, between two of the loop's turns.
func (g *guard) decide(target object.Ref, how func(*rollout.Watch, view, object.Ref) (back.Decision, bool)) (back.Decision, bool) {
	g.judging.Lock()
	defer g.judging.Unlock()
	if g.view == nil {
		return back.Decision{}, false
	}
	return how(g.watch, g.view, target)
}

// confirm asks whoever looks on. The screen has ended by then.
func (g *guard) confirm(ctx context.Context, target object.Ref, way *report.WayBack) (bool, error) {
	out := g.env.Streams.Err
	fmt.Fprintf(out, "%s cannot finish rolling out.\n", term.Escape(target.String()))
	for _, line := range planLines(way) {
		fmt.Fprintf(out, "  %s\n", term.Escape(line))
	}
	fmt.Fprintf(out, "Go back now? [y/N] ")
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(g.env.Streams.In).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		return false, context.Cause(ctx)
	case word := <-answer:
		return word == "y" || word == "yes", nil
	}
}
