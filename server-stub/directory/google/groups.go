package google

import (
	"context"
	"fmt"
	"net/http" //nolint:depguard // this directory is an HTTP API; the rule means serving
	"net/url"

	"golang.org/x/sync/errgroup"

	"github.com/platenprint/platen/server-stub/directory"
)

// groupPage is how many groups, or members of one, are asked for at a time: the most that Google gives.
const groupPage = "200"

// atOnce is how many groups' members are asked for at the same time: 1,000 groups are 1,000 requests, and the quota is 2,400 a
// minute.
const atOnce = 4

// groups hands over all groups with their direct members.
func (rd *reader) groups(ctx context.Context) error {
	seen := map[[16]byte]struct{}{}
	r := request{step: "read groups", method: http.MethodGet, path: "/admin/directory/v1/groups", query: url.Values{
		"customer": {rd.s.cfg.Customer}, "maxResults": {groupPage}, "prettyPrint": {"false"}, "fields": {"kind,nextPageToken,groups(id,email,name)"},
	}}
	return rd.session.pages(ctx, r, "groups", func(p *page) (fresh int, err error) {
		var list []group
		for _, g := range p.groups {
			id := digest(g.ID)
			if _, twice := seen[id]; twice || g.ID == "" {
				continue
			}
			seen[id] = struct{}{}
			list = append(list, g)
		}
		for len(list) > 0 {
			few := list[:min(atOnce, len(list))]
			list = list[len(few):]
			if err := rd.some(ctx, few); err != nil {
				return fresh, err
			}
			fresh += len(few)
		}
		return fresh, nil
	})
}

// some reads the members of a few groups at once, and hands the groups over.
func (rd *reader) some(ctx context.Context, list []group) error {
	found := make([]directory.Group, len(list))
	whole := make([]string, len(list))
	all, ctx := errgroup.WithContext(ctx)
	for i, g := range list {
		all.Go(func() (err error) {
			found[i], whole[i], err = rd.group(ctx, g)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return err
	}
	for i, g := range found {
		if whole[i] != "" {
			rd.whole = whole[i]
		}
		if err := rd.sink.Group(g); err != nil {
			return given{fmt.Errorf("hand over the group %q: %w", g.Name, err)}
		}
	}
	return nil
}

// group reads the members of one group. Its name is its address: people write to it, and no two have the same. whole is the id of
// the customer where everybody of it is a member.
func (rd *reader) group(ctx context.Context, g group) (found directory.Group, whole string, err error) {
	found = directory.Group{Key: key(g.ID), Name: first(g.Email, g.Name, g.ID), Where: first(g.Email, "group "+g.ID)}
	seen := map[[16]byte]struct{}{}
	r := request{
		step: fmt.Sprintf("read the members of %q", found.Name), method: http.MethodGet, path: "/admin/directory/v1/groups/" + url.PathEscape(g.ID) + "/members",
		query: url.Values{
			"maxResults": {groupPage}, "includeDerivedMembership": {"false"}, "prettyPrint": {"false"}, "fields": {"kind,nextPageToken,members(id,type)"},
		},
		remedy: "the next synchronisation tries again",
	}
	err = rd.session.pages(ctx, r, "members", func(p *page) (fresh int, err error) {
		for _, m := range p.members {
			id := digest(m.ID)
			if _, twice := seen[id]; twice || m.ID == "" {
				continue
			}
			seen[id] = struct{}{}
			fresh++
			if m.Type == "CUSTOMER" {
				whole = m.ID
			}
			found.Members = append(found.Members, key(m.ID))
		}
		return fresh, nil
	})
	return found, whole, err
}

// everybody hands over the group that Google has in mind where a group has the customer as a member: all people.
func (rd *reader) everybody() error {
	g := directory.Group{Key: key(rd.whole), Name: "everybody of " + rd.whole, Members: rd.all, Where: "customer " + rd.whole}
	if err := rd.sink.Group(g); err != nil {
		return given{fmt.Errorf("hand over the group %q: %w", g.Name, err)}
	}
	return nil
}
