package live

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/leadsman-dev/leadsman/pkg/source"
)

// maxEmpty bounds how many pages in a row may hold nothing. An API server goes
// on until a page is full (apiserver pkg/storage/etcd3, GetList).
const maxEmpty = 100

var secret = schema.GroupKind{Kind: "Secret"}

// Read implements source.Source. Reads are consistent: no resource version is
// sent. Of Secrets nothing but metadata is ever asked for.
func (s *Source) Read(ctx context.Context, q source.Query) (source.Result, error) {
	if _, err := s.connect(); err != nil {
		return source.Result{}, err
	}
	k, ok, err := s.kindOf(ctx, q.Kind)
	if err != nil {
		return source.Result{}, err
	}
	if !ok {
		return notServed(q), nil
	}
	result, err := s.readAs(ctx, k, q)
	if err != nil || result.Gap == nil || result.Gap.Reason != source.NotServed {
		return result, err
	}
	if other, ok := s.otherVersion(ctx, k); ok {
		return s.readAs(ctx, other, q)
	}
	return result, nil
}

func notServed(q source.Query) source.Result {
	return source.Result{Gap: &source.Gap{
		Resource: strings.ToLower(q.Kind.String()), Kind: q.Kind,
		Namespace: q.Namespace, Name: q.Name, Reason: source.NotServed,
		Detail: "the server has no such resource type",
	}}
}

func (s *Source) readAs(ctx context.Context, k source.Kind, q source.Query) (source.Result, error) {
	var result source.Result
	var err error
	if single(k, q) {
		result, err = s.get(ctx, k, q)
	} else {
		result, err = s.list(ctx, k, q)
	}
	if err == nil {
		return result, nil
	}
	_, builtin := s.known[q.Kind]
	reason, detail, err := s.reasonFor(ctx, err, !builtin)
	if err != nil {
		return source.Result{}, err
	}
	result.Gap = &source.Gap{
		Resource: k.Title(), Kind: q.Kind, Namespace: q.Namespace, Name: q.Name, Reason: reason, Detail: detail,
	}
	return result, nil
}

// single says whether a query can be a GET: the name and its namespace known,
// and no selector to satisfy besides.
func single(k source.Kind, q source.Query) bool {
	return q.Name != "" && (q.Namespace != "" || !k.Namespaced) && q.Labels == "" && q.Fields == ""
}

// get reads one object. Its own resource version is no place for a watch to
// start, since it may be older than all the server remembers.
func (s *Source) get(ctx context.Context, k source.Kind, q source.Query) (source.Result, error) {
	f := s.formOf(q)
	body, err := s.fetch(ctx, pathOf(k, q.Namespace)+"/"+url.PathEscape(q.Name), nil, f.acceptOne())
	if isMissing(err, q.Name) {
		return source.Result{}, nil
	}
	if err != nil {
		return source.Result{}, err
	}
	o, err := s.decodeOne(f, k, body)
	if err != nil {
		return source.Result{}, err
	}
	return source.Result{Objects: []source.Object{o}}, nil
}

// isMissing tells a 404 for the object from a 404 for the whole API, which
// names no object.
func isMissing(err error, name string) bool {
	var status *apierrors.StatusError
	if !errors.As(err, &status) || status.ErrStatus.Code != http.StatusNotFound {
		return false
	}
	d := status.ErrStatus.Details
	return d != nil && d.Name == name
}

// list reads page by page. When the pages expire on the way (410), it reads
// once more in one piece, which cannot.
func (s *Source) list(ctx context.Context, k source.Kind, q source.Query) (source.Result, error) {
	result, err := s.pages(ctx, k, q, pageSize)
	if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
		return s.pages(ctx, k, q, 0)
	}
	return result, err
}

func (s *Source) pages(ctx context.Context, k source.Kind, q source.Query, size int) (source.Result, error) {
	f := s.formOf(q)
	params := selectors(q)
	if size > 0 {
		params.Set("limit", strconv.Itoa(size))
	}
	var result source.Result
	for empty := 0; ; {
		body, err := s.fetch(ctx, pathOf(k, q.Namespace), params, f.acceptList())
		if err != nil {
			return result, err
		}
		page, objects, err := s.decodeList(f, k, body)
		if err != nil {
			return result, err
		}
		result.Objects = append(result.Objects, objects...)
		result.ResourceVersion = page.GetResourceVersion()
		if page.GetContinue() == "" {
			return result, nil
		}
		if empty++; len(objects) > 0 {
			empty = 0
		}
		if empty >= maxEmpty {
			return result, errors.New("the server gives empty pages without an end")
		}
		if page.GetContinue() == params.Get("continue") {
			return result, errors.New("the server repeats the same page")
		}
		params.Set("continue", page.GetContinue())
	}
}

func selectors(q source.Query) url.Values {
	params := url.Values{}
	if q.Labels != "" {
		params.Set("labelSelector", q.Labels)
	}
	field := q.Fields
	if q.Name != "" {
		field = strings.TrimPrefix(field+","+fields.OneTermEqualSelector("metadata.name", q.Name).String(), ",")
	}
	if field != "" {
		params.Set("fieldSelector", field)
	}
	return params
}

// pathOf is the path of a collection.
func pathOf(k source.Kind, namespace string) string {
	path := "/api/" + k.Version
	if k.Group != "" {
		path = "/apis/" + k.Group + "/" + k.Version
	}
	if k.Namespaced && namespace != "" {
		path += "/namespaces/" + url.PathEscape(namespace)
	}
	return path + "/" + k.Resource
}
