//nolint:misspell // not English
package policy

func german() texts {
	return texts{
		displayName: "Platen", description: "Einstellungen von Platen, dem Druck-Client",
		supported: "Platen unter Windows 10, Windows Server 2016 oder neuer",
		categories: map[string]words{
			categoryClient:      {name: "Client (erzwungen)", help: "Einstellungen, die am Computer niemand ändern kann."},
			categoryRecommended: {name: "Empfohlen (änderbar)", help: "Einstellungen, die gelten, bis am Computer jemand etwas anderes wählt."},
			categoryDeploy:      {name: "Registrierung", help: "Wie der Dienst des Computers dem Server beweist, dass er ein Gerät werden darf."},
		},
		enforced:        "Erzwungen: Diese Einstellung hat Vorrang vor allen anderen, und am Computer kann sie niemand ändern.",
		recommended:     "Empfohlen: Diese Einstellung gilt, bis am Computer jemand etwas anderes wählt; eine erzwungene hat Vorrang.",
		recommendedName: "%s (empfohlen)",
		policies: map[string]words{
			"ServerURL": {
				name: "Druckserver", label: "Adresse, zum Beispiel https://print.example.org:8443:",
				help: "Die Adresse des Druckservers: https, ein Hostname und gegebenenfalls ein Port, sonst nichts.\n\nWenn Sie diese Einstellung aktivieren, verwendet Platen diesen Server und sucht keinen anderen. Wenn Sie sie nicht konfigurieren, verwendet Platen den Server, den die Installation, eine Konfigurationsdatei, der Dateiname des Pakets oder das Netzwerk nennt; ein Server, den nur der Dateiname oder das Netzwerk nennt, wird erst verwendet, wenn die Person ihn bestätigt hat.",
			},
			"CAFile": {
				name: "Zertifizierungsstelle des Servers: Datei", label: "Pfad der PEM-Datei:",
				help: "Eine PEM-Datei mit der Zertifizierungsstelle, die das Zertifikat des Servers ausgestellt hat. Sie tritt für Platen an die Stelle des Zertifikatspeichers des Systems.\n\nWenn Sie diese Einstellung nicht konfigurieren, gilt der Speicher des Systems oder, falls vorhanden, der Pin.",
			},
			"CAPin": {
				name: "Zertifizierungsstelle des Servers: Pin", label: "Pin, zum Beispiel sha256/…=; mehrere durch Kommas getrennt:",
				help: "Der Pin der Zertifizierungsstelle, die das Zertifikat des Servers ausgestellt hat, wie der Server ihn beim Start ausgibt. Der Computer braucht dann keine Zertifikatsdatei.\n\nWenn Sie diese Einstellung aktivieren, wird ein Server abgelehnt, dessen Zertifikat nicht von einer so benannten Zertifizierungsstelle stammt. Wenn Sie sie nicht konfigurieren, gilt der Zertifikatspeicher des Systems.",
			},
			"UPNSuffix": {
				name: "Suffix der Kontonamen", label: "Suffix, zum Beispiel example.org, oder Regeln:",
				help: "Was Platen hinter das @ setzt, wenn der Computer eine Person nur unter einem kurzen Namen kennt: ein Suffix wie example.org oder durch Semikolon getrennte Regeln, von denen die erste passende gilt: CORP=example.org;10.1.0.0/16=lab.example.org.\n\nWenn Sie diese Einstellung nicht konfigurieren, gelten die Regeln des Servers.",
			},
			"AuthMode": {
				name: "Art der Anmeldung", label: "Art der Anmeldung:",
				help: "Bei „Automatisch“ entscheiden der Server und die Gruppe, die der Computer dort hat. Jede andere Auswahl lässt nur diesen einen Weg zu, auch wenn er nicht funktioniert.",
			},
			"MicrosoftAuthority": {
				name: "Zusätzliche Adresse für die Anmeldung bei Microsoft", label: "Adresse, zum Beispiel https://login.example.org:",
				help: "Eine weitere Adresse neben Microsofts eigenen, zu der der Server die Benutzer schicken darf, damit sie sich bei Microsoft anmelden. Nur Hostname und Port.\n\nWenn Sie diese Einstellung nicht konfigurieren, werden nur Microsofts eigene Adressen akzeptiert.",
			},
			"AutoStart": {
				name: "Platen bei der Anmeldung starten",
				help: "Wenn Sie diese Einstellung aktivieren oder nicht konfigurieren, startet Platen für alle, die sich am Computer anmelden. Wenn Sie sie deaktivieren, starten die Benutzer es selbst.",
			},
			"Enrol": {
				name: "Computer darf sich als Gerät registrieren",
				help: "Wenn Sie diese Einstellung aktivieren oder nicht konfigurieren, bittet der Dienst des Computers den Server von sich aus, den Computer als Gerät aufzunehmen, das für die angemeldeten Personen bürgt. Dazu stimmt ein Administrator am Server zu, oder es gibt ein Registrierungstoken. Wenn Sie sie deaktivieren, bleibt der Computer dem Server unbekannt, und die Benutzer melden sich selbst an.",
			},
			"DeviceRole": {
				name: "Rolle des Computers", label: "Rolle:",
				help: "Ein gemeinsam genutzter Computer fragt jede Person, wer sie ist, und behält nichts von ihr; das ist richtig für Schalter, Labore und Hörsäle. Wenn Sie diese Einstellung nicht konfigurieren, gilt der Computer als persönlich.",
			},
			"SharedOSUsers": {
				name: "Konten, die mehrere Personen benutzen", label: "Kontonamen, einer pro Zeile:",
				help: "Konten des Betriebssystems, die mehrere Personen benutzen, zum Beispiel kiosk. Wer unter einem solchen Konto angemeldet ist, wird gefragt, wer druckt.",
			},
			"HideBalance": {
				name: "Beträge ausblenden",
				help: "Wenn Sie diese Einstellung aktivieren, zeigt Platen nirgends einen Betrag. Wenn Sie sie deaktivieren oder nicht konfigurieren, sehen die Benutzer ihr Guthaben.",
			},
			"LowBalance": {
				name: "Niedriges Guthaben", label: "Betrag, zum Beispiel 2.00:",
				help: "Unter diesem Betrag gilt das Guthaben als niedrig: Das Symbol ändert sich, und es erscheint eine Benachrichtigung. Schreiben Sie ihn mit einem Punkt und ohne Währung.\n\nWenn Sie diese Einstellung nicht konfigurieren, gilt der Betrag des Servers.",
			},
			"ShowBalanceAtStart": {
				name: "Guthaben nach der Anmeldung anzeigen", label: "Anzeigen als:",
				help: "Womit das Guthaben angezeigt wird, nachdem sich jemand am Computer angemeldet hat. Wenn Sie diese Einstellung nicht konfigurieren, ist es eine Benachrichtigung.",
			},
			"TopUpURL": {
				name: "Adresse zum Aufladen des Guthabens", label: "Adresse, zum Beispiel https://pay.example.org/credit:",
				help: "Die Adresse, die sich öffnet, wenn jemand Guthaben kaufen möchte. Wenn Sie diese Einstellung nicht konfigurieren, gilt die des Servers.",
			},
			"Language": {
				name: "Sprache", label: "Sprache:",
				help: "Die Sprache der Fenster und Benachrichtigungen von Platen. Wenn Sie diese Einstellung nicht konfigurieren, ist es die des Systems.",
			},
			"Proxy": {
				name: "Proxy", label: "http://HOST:PORT oder direct:",
				help: "Der Proxy, über den Platen seinen Server erreicht, oder direct für keinen. Er enthält nie einen Benutzernamen oder ein Kennwort.\n\nWenn Sie diese Einstellung nicht konfigurieren, gilt der Proxy der Umgebung, sonst der des Systems.",
			},
			"LogLevel": {
				name: "Umfang des Protokolls", label: "Stufe:",
				help: "Wenn Sie diese Einstellung nicht konfigurieren, gilt die Stufe „Informationen“. „Debug“ dient der Fehlersuche und füllt das Protokoll.",
			},
			"EnrolmentToken": {
				name: "Registrierungstoken", label: "Token, wie platen-server enrolment create es anzeigt:",
				help: "Mit diesem Token wird der Dienst des Computers ein Gerät des Servers, ohne auf einen Administrator zu warten. Es wird einmal verwendet und nicht aufbewahrt.\n\nDas Token ist geheim. Was Gruppenrichtlinien verteilen, kann jeder Computer und jedes Konto der Domäne lesen, und auch die Benutzer dieses Computers können es hier womöglich lesen. Verwenden Sie ein Token, das nur kurze Zeit, nur für eine Gruppe und nur in Ihren Netzen gilt (platen-server enrolment create --campaign --network …), und entfernen Sie diese Richtlinie, sobald die Computer registriert sind. Ohne Token fragt der Computer an, und ein Administrator stimmt am Server zu: Das kommt ohne Geheimnis aus.",
			},
		},
		choices: map[string]string{
			"AuthMode_auto": "Automatisch", "AuthMode_trust": "Der Computer bürgt für die Person", "AuthMode_microsoft": "Microsoft",
			"AuthMode_browser": "Browser", "AuthMode_prompt": "Konto und Kennwort",
			"DeviceRole_personal": "Persönlicher Computer", "DeviceRole_shared": "Gemeinsam genutzter Computer",
			"ShowBalanceAtStart_notification": "Benachrichtigung", "ShowBalanceAtStart_window": "Fenster", "ShowBalanceAtStart_nothing": "Nicht anzeigen",
			"Language_en": "Englisch", "Language_de": "Deutsch", "Language_fr": "Französisch", "Language_es": "Spanisch",
			"LogLevel_error": "Fehler", "LogLevel_warn": "Warnungen", "LogLevel_info": "Informationen", "LogLevel_debug": "Debug",
		},
	}
}
