package groups

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"slices"

	"github.com/platenprint/platen/server-stub/core"
)

// MaxPaths is the most paths that Why returns.
const MaxPaths = 100

// maxSteps bounds the search for further paths: groups that contain each other many times over have more paths than anybody
// can read.
const maxSteps = 20_000

// Reason says why somebody is in a group.
type Reason struct {
	// Paths lead from a group that lists the person to the group asked about, the shortest first. None: the person is not in it.
	Paths [][]core.Group
	More  bool // there are, or may be, further ones
}

// Why returns the ways by which a person is in a group: the shortest ones, at most limit of them (0 or too many: MaxPaths).
func Why(ctx context.Context, tx Tx, user core.UserID, group core.Group, limit int) (Reason, error) {
	a, err := climb(ctx, tx, user)
	if err != nil {
		return Reason{}, fmt.Errorf("find why user %d is in the group %q: %w", user, group.Name, err)
	}
	if limit <= 0 || limit > MaxPaths {
		limit = MaxPaths
	}
	return a.paths(group.ID, limit), nil
}

// paths finds the shortest paths that meet no group twice. Partial paths are tried in the order of the length that they will
// have at least, so the shortest come first and little else is looked at.
func (a *above) paths(target int64, limit int) Reason {
	rest := a.distances(target)
	if _, in := rest[0]; !in {
		return Reason{}
	}
	var out Reason
	open := &queue{{nil, rest[0]}}
	for steps := 0; open.Len() > 0; steps++ {
		if len(out.Paths) == limit || steps == maxSteps {
			out.More = true
			return out
		}
		p, _ := heap.Pop(open).(partial)
		at := int64(0)
		if len(p.path) > 0 {
			at = p.path[len(p.path)-1]
		}
		if at == target {
			groups := make([]core.Group, len(p.path))
			for i, id := range p.path {
				groups[i] = a.groups[id]
			}
			out.Paths = append(out.Paths, groups)
			continue
		}
		for _, parent := range a.parents[at] {
			if left, leads := rest[parent]; leads && !slices.Contains(p.path, parent) {
				path := append(slices.Clone(p.path), parent)
				heap.Push(open, partial{path, len(path) + left})
			}
		}
	}
	return out
}

// distances tells how many steps each group, and 0 for the person, is away from the target; who is not there does not lead to it.
func (a *above) distances(target int64) map[int64]int {
	if _, in := a.groups[target]; !in {
		return nil
	}
	children := map[int64][]int64{}
	for child, parents := range a.parents {
		for _, p := range parents {
			children[p] = append(children[p], child)
		}
	}
	rest := map[int64]int{target: 0}
	for level := []int64{target}; len(level) > 0; {
		var next []int64
		for _, g := range level {
			for _, child := range children[g] {
				if _, met := rest[child]; !met {
					rest[child] = rest[g] + 1
					next = append(next, child)
				}
			}
		}
		level = next
	}
	return rest
}

// partial is the beginning of a path.
type partial struct {
	path  []int64
	least int // the length it will have at least
}

// queue is a heap of partial paths; equal ones come in the order of their groups' ids, so that answers do not vary.
type queue []partial

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q queue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].least, q[j].least), cmp.Compare(len(q[j].path), len(q[i].path)), slices.Compare(q[i].path, q[j].path)) < 0
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	p, _ := x.(partial)
	*q = append(*q, p)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
