package health

import "testing"

func TestOnlyADateThatNeverComesIsImpossible(t *testing.T) {
	for schedule, want := range map[string]bool{
		"0 0 31 2 *":        true,
		"0 0 30,31 2 *":     true,
		"0 0 30-31 FEB ?":   true,
		"0 0 31 2,4,Jun *":  true,
		"0 0 31/2 11 *":     true,
		"0 0 29 2 *":        false, // in leap years
		"0 0 29-31 2 *":     false,
		"0 0 31 2,3 *":      false,
		"0 0 31 2-4 *":      false,
		"0 0 31 */2 *":      false,
		"0 0 31 2 1":        false, // on Mondays of February too
		"0 0 31 2 */2":      false,
		"0 0 */31 2 *":      false,
		"0 0 30 4 *":        false,
		"0 0 31 * *":        false,
		"@yearly":           false,
		"TZ=UTC 0 0 31 2 *": false, // not read here
		"0 0 32 2 *":        false, // refused by the API server
		"":                  false,
	} {
		if _, _, got := impossibleDate(schedule); got != want {
			t.Errorf("%q: impossible = %v, want %v", schedule, got, want)
		}
	}
}
