package health

import (
	"fmt"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"

	"github.com/leadsman-dev/leadsman/pkg/finding"
)

// neverDue is a CronJob whose schedule names only days that its months do not
// have. The API server accepts it, and the controller says so in one event,
// which is gone after an hour. Some write it on purpose, to start the Job by
// hand: it is no error.
func neverDue(cron *batchv1.CronJob) (Problem, bool) {
	day, month, ok := impossibleDate(cron.Spec.Schedule)
	if !ok {
		return Problem{}, false
	}
	ref := batch("CronJob", cron.Namespace, cron.Name)
	return Problem{
		Name: "schedule-never-due", Severity: finding.Warning,
		Message:  fmt.Sprintf("the CronJob never starts a Job: its schedule %q asks for day %s of month %s, which does not exist", clip(cron.Spec.Schedule, 60), day, month),
		Evidence: []finding.Evidence{fact(ref, "spec.schedule", cron.Spec.Schedule)},
		Fix:      []finding.Fix{manual("name a day in spec.schedule that its months have; if the Job is only meant to be started by hand, say so with spec.suspend: true")},
	}, true
}

// longest is the number of days of each month, in a leap year.
var longest = [...]int{1: 31, 2: 29, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}

// impossibleDate says whether no day of a schedule exists. Where the day of the
// week is restricted too, either of the two days will do (robfig/cron
// spec.go, dayMatches). A schedule that is not understood here proves nothing.
func impossibleDate(schedule string) (day, month string, impossible bool) {
	fields := strings.Fields(schedule)
	if len(fields) != 5 || fields[4] != "*" && fields[4] != "?" {
		return "", "", false
	}
	first, ok := smallest(fields[2], 31)
	if !ok || first <= longest[2] {
		return "", "", false // every month has a day 29 in some year
	}
	for _, part := range strings.Split(fields[3], ",") {
		number, err := strconv.Atoi(part)
		if err != nil {
			number = monthNamed(part)
		}
		if number < 1 || number > 12 || longest[number] >= first {
			return "", "", false // a range of months holds one with 31 days
		}
	}
	return fields[2], fields[3], true
}

// smallest is the first day of a field: a range and a range in steps begin with
// their first number.
func smallest(field string, most int) (int, bool) {
	first := most + 1
	for _, part := range strings.Split(field, ",") {
		low, _, _ := strings.Cut(part, "/")
		low, _, _ = strings.Cut(low, "-")
		number, err := strconv.Atoi(low)
		if err != nil || number < 1 || number > most {
			return 0, false
		}
		first = min(first, number)
	}
	return first, true
}

func monthNamed(name string) int {
	const names = "janfebmaraprmayjunjulaugsepoctnovdec"
	if i := strings.Index(names, strings.ToLower(name)); len(name) == 3 && i >= 0 && i%3 == 0 {
		return i/3 + 1
	}
	return 0
}
