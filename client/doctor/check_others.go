package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// otherClient is another print client and how to know it. Names are of files, in lower case, without .exe.
type otherClient struct {
	product string
	names   []string
	arg     string // in an argument, for programs that run inside another (Java)
}

// otherClients are those that show a balance or own print queues, so that people would see two of everything.
func otherClients() []otherClient {
	return []otherClient{
		{"PaperCut user client", []string{"pc-client", "pc-client-linux", "pc-client-local-cache", "pcclient"}, "biz.papercut.pcng"},
		{"PaperCut Print Deploy", []string{"pc-print-deploy-client", "pc-printdeploy-client"}, ""},
		{"PaperCut Mobility Print", []string{"pc-mobility-print-client", "mobility-print-client"}, ""},
		{"Printix", []string{"printixclient", "printix client"}, ""},
		{"uniFLOW", []string{"smartclient", "uniflow smartclient", "momsmartclient"}, ""},
		{"YSoft SAFEQ", []string{"safeq client", "safeqclient", "safeq cloud client"}, ""},
		{"PrinterLogic (Vasion)", []string{"printerinstallerclient", "printerinstallerclientlauncher"}, ""},
		{"Pharos", []string{"popup", "pharospopup"}, ""},
		{"Equitrac", []string{"eqcasclient", "eqmsgclient"}, ""},
	}
}

func (in Inputs) others(ctx context.Context) Result {
	if in.Processes == nil {
		return Result{Level: Unknown, Sentence: "The list of programs cannot be read on this system."}
	}
	list, err := in.Processes.List(ctx)
	if err != nil {
		return Result{Level: Unknown, Sentence: "The list of programs cannot be read.", Details: details(err)}
	}
	var found, lines []string
	for _, p := range list {
		product := recognise(p)
		if product == "" {
			continue
		}
		if !slices.Contains(found, product) {
			found = append(found, product)
		}
		lines = append(lines, fmt.Sprintf("%s: %s, process %d", product, p.Name, p.PID))
	}
	if found == nil {
		return Result{Level: OK, Sentence: "No other print client is running."}
	}
	return Result{
		Level: Warn, Sentence: "Another print client is running too: " + strings.Join(found, ", ") + ".",
		Remedy: "Leave only one of them running, or people see two balances.", Details: lines,
	}
}

// recognise returns the product a process belongs to, or "".
func recognise(p Process) string {
	name := strings.TrimSuffix(strings.ToLower(p.Name), ".exe")
	for _, client := range otherClients() {
		if slices.Contains(client.names, name) {
			return client.product
		}
		if client.arg != "" && slices.ContainsFunc(p.Args, func(arg string) bool { return strings.Contains(strings.ToLower(arg), client.arg) }) {
			return client.product
		}
	}
	return ""
}
