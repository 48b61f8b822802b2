// Package licence tells the licence of a module by its text.
package licence

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// known are the licences that whoever ships the binaries can keep, each told by
// sentences that only its text has. The first that fits is meant.
var known = []struct {
	id        string // SPDX
	sentences []string
}{
	{"Apache-2.0", []string{"Apache License Version 2.0"}},
	{"MIT", []string{"Permission is hereby granted, free of charge, to any person obtaining a copy"}},
	{"BSD-3-Clause", []string{"Redistribution and use in source and binary forms, with or without modification", "to endorse or promote products derived from"}},
	{"BSD-2-Clause", []string{"Redistribution and use in source and binary forms, with or without modification"}},
	{"ISC", []string{"Permission to use, copy, modify, and/or distribute this software for any purpose"}},
	{"ISC", []string{"Permission to use, copy, modify, and distribute this software for any purpose"}},
}

// Of reads the licences in a module's folder, as SPDX identifiers in order. A
// licence file that is none of the known ones is an error, and so is no licence.
func Of(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		name := strings.ToUpper(e.Name())
		if e.IsDir() || !strings.HasPrefix(name, "LICEN") && !strings.HasPrefix(name, "COPYING") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		ids := tell(string(text))
		if len(ids) == 0 {
			return nil, fmt.Errorf("%s: no licence that is known to be permissive", filepath.Join(dir, e.Name()))
		}
		found = append(found, ids...)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: no licence file", dir)
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// tell finds every licence in a text; some files hold two.
func tell(text string) []string {
	oneLine := strings.Join(strings.Fields(text), " ")
	var ids []string
	for _, k := range known {
		all := !slices.ContainsFunc(k.sentences, func(s string) bool { return !strings.Contains(oneLine, s) })
		twice := k.id == "BSD-2-Clause" && slices.Contains(ids, "BSD-3-Clause")
		if all && !twice && !slices.Contains(ids, k.id) {
			ids = append(ids, k.id)
		}
	}
	return ids
}
