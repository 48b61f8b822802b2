package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/leadsman-dev/leadsman/test/faults"
)

// lag is how long a verdict on a rollout came after its evidence was complete.
type lag struct {
	known   bool
	stamped time.Duration // after the newest time that the kubelet, a controller or an event's source wrote into it
	arrived time.Duration // after the last of it had arrived
}

// promptly is how soon a verdict must follow what arrived last, however busy
// the machine is that runs cluster and corpus; what is certain by time alone is
// looked for once a second.
const promptly = 5 * time.Second

// late says whether the verdict came later than it must. Stamps are no measure
// for that: they carry whole seconds, and how soon the kubelet reports what it
// stamped is its own affair.
func (l lag) late() error {
	if l.arrived > promptly {
		return fmt.Errorf("the verdict came late:%s", l)
	}
	return nil
}

func (l lag) String() string {
	if !l.known {
		return ""
	}
	return fmt.Sprintf("  %.1f s after it was written, %.1f s after it arrived", l.stamped.Seconds(), l.arrived.Seconds())
}

// lagOf measures a verdict that came at a moment against the recording: what it
// rests on, and the pods, any of which may have been the last that it needed. Where
// time must pass in silence, that time is not counted, and only what objects
// themselves say starts it: their events repeat.
func lagOf(a faults.Answer, verdict time.Time, recording string, grace time.Duration) (lag, error) {
	if len(a.Findings) == 0 || verdict.IsZero() {
		return lag{}, nil
	}
	evidence := a.Findings[0].About()
	file, err := os.Open(recording)
	if err != nil {
		return lag{}, err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return lag{}, err
	}
	var stamp, arrival time.Time
	lines := bufio.NewReader(unzipped)
	for {
		line, err := lines.ReadBytes('\n')
		var h happening
		if json.Unmarshal(line, &h) == nil && !h.At.After(verdict) {
			for _, o := range append(h.Answer.Objects, h.Object) {
				about := o.about()
				if about.Kind != "Pod" && !slices.Contains(evidence, about) || grace > 0 && o.Kind == "Event" {
					continue
				}
				newest := o.newest(verdict)
				if newest.After(stamp) {
					stamp = newest
				}
				if h.At.After(arrival) {
					arrival = h.At
				}
			}
		}
		if err != nil {
			break
		}
	}
	if stamp.IsZero() {
		return lag{}, nil
	}
	return lag{known: true, stamped: max(0, verdict.Sub(stamp)-grace), arrived: max(0, verdict.Sub(arrival)-grace)}, nil
}

// happening is a line of a recording.
type happening struct {
	At     time.Time `json:"at"`
	Object recorded  `json:"object"`
	Answer struct {
		Objects []recorded `json:"objects"`
	} `json:"answer"`
}

// recorded is an object as far as it tells when something happened.
type recorded struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	InvolvedObject faults.Named `json:"involvedObject"`
	Status         any          `json:"status"`
	EventTime      any          `json:"eventTime"`
	FirstTimestamp any          `json:"firstTimestamp"`
	LastTimestamp  any          `json:"lastTimestamp"`
	Series         any          `json:"series"`
}

// about is the object, or the one that an event is about.
func (o recorded) about() faults.Named {
	if o.Kind == "Event" {
		return o.InvolvedObject
	}
	return faults.Named{Kind: o.Kind, Name: o.Metadata.Name}
}

// newest is the newest time in it that is not after a moment.
func (o recorded) newest(moment time.Time) time.Time {
	var newest time.Time
	var walk func(any)
	walk = func(value any) {
		switch value := value.(type) {
		case map[string]any:
			for _, v := range value {
				walk(v)
			}
		case []any:
			for _, v := range value {
				walk(v)
			}
		case string:
			if at, err := time.Parse(time.RFC3339Nano, value); err == nil && at.After(newest) && !at.After(moment) {
				newest = at
			}
		}
	}
	for _, part := range []any{o.Status, o.EventTime, o.FirstTimestamp, o.LastTimestamp, o.Series} {
		walk(part)
	}
	return newest
}
