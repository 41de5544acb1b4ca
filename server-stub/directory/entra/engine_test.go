package entra

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/emulator/graph"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/egress"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

func TestFault_F12_ChangesFromGraphChangeNobodyUnlessAllWereRead(t *testing.T) {
	people := graph.Synced(250)
	groups := graph.Nested(4, people)
	tt := newTenant(t, people, groups...)
	s, pauses := source(t, tt.config(), t.Output())
	b := newBench(t, s)
	for i, test := range deltaFaults(tt.URL()) {
		t.Run(test.name, func(t *testing.T) {
			tt.touchAll(people, fmt.Sprint("department ", i))
			tt.Graph.Join(groups[i%4].ID, []string{graph.GUID(fmt.Sprint("nobody ", i))}, nil)
			*pauses = nil
			pages := tt.Graph.Calls()["users"]
			tt.Graph.SetFault(&test.fault)
			if test.want != "" {
				err := b.failsHarmlessly(t, s, changes)
				if !errors.Is(err, core.ErrUnavailable) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), `entra directory "cloud"`) {
					t.Errorf("%v", err)
				}
				if n := tt.Graph.Calls()["users"] - pages; n != 0 {
					t.Errorf("%d pages of everybody were read, so this shows nothing of changes", n)
				}
				for _, d := range *pauses {
					if d > egress.MaxPause || d < test.fault.RetryAfter && d < egress.MaxPause {
						t.Errorf("waited %v, asked for %v", d, test.fault.RetryAfter)
					}
				}
				tt.Graph.SetFault(nil)
			}
			run, err := b.run(t, s, changes)
			if err != nil || run.Updated != len(people) || run.Disabled+run.Created+run.Renamed+run.Conflicts != 0 {
				t.Errorf("the next run: %+v, %v", run, err)
			}
			if read := tt.Graph.Calls()["users"] > pages; read != (test.want == "") {
				t.Errorf("everybody was read: %t", read)
			}
			tt.Graph.SetFault(nil)
		})
	}
}

// names are the names by which somebody signs in and prints, as kind and text.
func (b *bench) names(t *testing.T, username string) map[string]core.NameKind {
	t.Helper()
	found := map[string]core.NameKind{}
	for _, u := range b.users(t) {
		if u.Username != username {
			continue
		}
		err := b.store.View(t.Context(), func(tx store.Tx) error {
			list, err := tx.UserNames(t.Context(), u.ID)
			for _, n := range list {
				text := n.Name
				if n.Domain != "" {
					text = string(n.Domain) + `\` + n.Name
				}
				found[strings.ToLower(text)] = n.Kind
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func TestAllOtherNamesBecomeLoginNames(t *testing.T) {
	all := []string{"person1@example.org", `corp\person1`, "person1.nick", "person1@mail.example.org", "person1@example.com"}
	for rule, username := range map[directory.UsernameRule]string{
		directory.UsernameUPN: "person1@example.org", directory.UsernameNickname: "person1.nick", directory.UsernameSAM: "person1", directory.UsernameMail: "person1@mail.example.org",
	} {
		t.Run("A1_34_A2_18_A2_21_"+string(rule), func(t *testing.T) {
			tt := newTenant(t, graph.Synced(3))
			cfg := tt.config()
			cfg.Username, cfg.Domain = rule, "CORP"
			s, _ := source(t, cfg, t.Output())
			b := newBench(t, s)
			names := b.names(t, username)
			for _, want := range all {
				if _, ok := names[want]; !ok {
					t.Errorf("%q is no name of %q: %v", want, username, names)
				}
			}
			// They are kept up to date by themselves.
			tt.Graph.Change(graph.GUID("person1"), graph.Person{"proxyAddresses": []string{"smtp:new.name@example.org"}})
			if _, err := b.run(t, s, changes); err != nil {
				t.Fatal(err)
			}
			if _, ok := b.names(t, username)["new.name@example.org"]; !ok {
				t.Errorf("%v", b.names(t, username))
			}
		})
	}
}

// living are the usernames of those who can sign in.
func (b *bench) living(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, u := range b.users(t) {
		if u.Active() {
			list = append(list, strings.TrimSuffix(u.Username, "@example.org"))
		}
	}
	slices.Sort(list)
	return list
}

func TestA2_22_NestedGroupsAreClosedHere(t *testing.T) {
	people := graph.Synced(8)
	id := func(n int) string { return people[n].ID() }
	group := func(name string, members ...string) graph.Group {
		return graph.Group{ID: graph.GUID(name), Name: name, Members: members}
	}
	tt := newTenant(t, people,
		group("Printing", id(0), graph.GUID("Teachers")), group("Teachers", id(1), graph.GUID("Science")),
		group("Science", id(2), graph.GUID("Printing")), // in a circle
		group("Others", id(3)))
	s, _ := source(t, tt.config(), t.Output())
	b := &bench{store: storetest.OpenSQLite(t)}
	b.sync = dirsync.New(b.store, clock.System, dirsync.Config{Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	scope := dirsync.Settings{Scope: dirsync.Scope{Groups: []string{"Printing"}}}
	sync := func(want ...string) {
		t.Helper()
		if run, err := b.sync.Run(t.Context(), s, scope); err != nil {
			t.Fatalf("%+v, %v", run, err)
		}
		if got := b.living(t); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	sync("person0", "person1", "person2")
	calls := tt.Graph.Calls()
	if calls["members"]+calls["groups"] != 0 {
		t.Errorf("closing groups asked Graph: %v", calls)
	}
	// Changes of groups alone bring and take people, two levels down; who comes is looked up.
	tt.Graph.Join(graph.GUID("Science"), []string{id(4), graph.GUID("Others")}, []string{id(2)})
	pages := tt.Graph.Calls()["users"]
	sync("person0", "person1", "person3", "person4")
	if n := tt.Graph.Calls()["users"] - pages; n != 0 {
		t.Errorf("everybody was read: %d pages", n)
	}
	tt.Graph.RemoveGroup(graph.GUID("Others"))
	sync("person0", "person1", "person4")
}
