package policy

func english() texts {
	return texts{
		displayName: "Platen", description: "Settings of Platen, the print client",
		supported: "Platen on Windows 10, Windows Server 2016 or newer",
		categories: map[string]words{
			categoryClient:      {name: "Client (enforced)", help: "Settings that nobody at the computer can change."},
			categoryRecommended: {name: "Recommended (can be changed)", help: "Settings that apply until somebody at the computer chooses otherwise."},
			categoryDeploy:      {name: "Enrolment", help: "How the computer's service proves to the server that it may become a device."},
		},
		enforced:        "Enforced: it outranks everything else, and nobody at the computer can change it.",
		recommended:     "Recommended: it applies until somebody at the computer chooses otherwise, and an enforced setting outranks it.",
		recommendedName: "%s (recommended)",
		policies: map[string]words{
			"ServerURL": {
				name: "Print server", label: "Address, such as https://print.example.org:8443:",
				help: "The address of the print server: https, a host name and perhaps a port, nothing more.\n\nIf you enable this setting, Platen uses this server and looks for no other. If you do not configure it, Platen uses the server that the installation, a settings file, the package’s file name or the network names; a server that only the file name or the network names is used once the person has confirmed it.",
			},
			"CAFile": {
				name: "Certificate authority of the server: file", label: "Path of the PEM file:",
				help: "A PEM file with the certificate authority that issued the server's certificate. It takes the place of the system's certificate store for Platen.\n\nIf you do not configure this setting, Platen believes the system's store, or the pin if there is one.",
			},
			"CAPin": {
				name: "Certificate authority of the server: pin", label: "Pin, such as sha256/…=; several separated by commas:",
				help: "The pin of the certificate authority that issued the server's certificate, as the server prints it when it starts. The computer then needs no certificate file.\n\nIf you enable this setting, a server whose certificate does not belong to a pinned authority is refused. If you do not configure it, Platen believes the system's certificate store.",
			},
			"UPNSuffix": {
				name: "Suffix of account names", label: "Suffix, such as example.org, or rules:",
				help: "What Platen puts behind the @ when the computer knows a person by a short name only: one suffix such as example.org, or rules separated by semicolons, the first that fits: CORP=example.org;10.1.0.0/16=lab.example.org.\n\nIf you do not configure this setting, the server's rules are used.",
			},
			"AuthMode": {
				name: "How people sign in", label: "Way of signing in:",
				help: "Automatic leaves it to the server and to the computer's group there. Every other choice allows this one way only, even if it does not work.",
			},
			"MicrosoftAuthority": {
				name: "Additional Microsoft sign-in address", label: "Address, such as https://login.example.org:",
				help: "One more place, beside Microsoft's own clouds, where the server may send people to sign in with Microsoft. Host name and port only.\n\nIf you do not configure this setting, only Microsoft's own addresses are accepted.",
			},
			"AutoStart": {
				name: "Start Platen when somebody logs on",
				help: "If you enable or do not configure this setting, Platen starts for everybody who logs on. If you disable it, people start it themselves.",
			},
			"Enrol": {
				name: "Let the computer ask to become a device",
				help: "If you enable or do not configure this setting, the computer's service asks the server by itself to make the computer a device, which vouches for the people who are logged on. An administrator approves it at the server, or an enrolment token does. If you disable it, the computer stays unknown to the server, and people sign in themselves.",
			},
			"DeviceRole": {
				name: "Role of the computer", label: "Role:",
				help: "A shared computer asks everybody who they are and keeps nothing of them; use it for counters, laboratories and lecture halls. If you do not configure this setting, the computer is personal.",
			},
			"SharedOSUsers": {
				name: "Accounts that several people use", label: "Account names, one on each line:",
				help: "Accounts of the operating system that several people use, such as kiosk. Whoever is logged on as one of them is asked who is printing.",
			},
			"HideBalance": {
				name: "Hide amounts",
				help: "If you enable this setting, Platen shows no amount anywhere. If you disable or do not configure it, people see their balance.",
			},
			"LowBalance": {
				name: "Low balance", label: "Amount, such as 2.00:",
				help: "Below this amount the balance counts as low: the icon changes and one notification is shown. Write it with a dot and without a currency.\n\nIf you do not configure this setting, the server's amount is used.",
			},
			"ShowBalanceAtStart": {
				name: "Show the balance after log-on", label: "Show it as:",
				help: "What shows the balance once somebody has logged on. If you do not configure this setting, it is a notification.",
			},
			"TopUpURL": {
				name: "Where people buy credit", label: "Address, such as https://pay.example.org/credit:",
				help: "The address that opens when somebody wants to buy credit. If you do not configure this setting, the server's is used.",
			},
			"Language": {
				name: "Language", label: "Language:",
				help: "The language of Platen's windows and notifications. If you do not configure this setting, it is that of the system.",
			},
			"Proxy": {
				name: "Proxy", label: "http://HOST:PORT, or direct:",
				help: "The proxy through which Platen reaches its server, or direct for none. It never holds a user name or password.\n\nIf you do not configure this setting, the proxy of the environment is used, else that of the system.",
			},
			"LogLevel": {
				name: "How much the log says", label: "Level:",
				help: "If you do not configure this setting, the level is Information. Debug is for finding a fault and fills the log.",
			},
			"EnrolmentToken": {
				name: "Enrolment token", label: "Token, as platen-server enrolment create shows it:",
				help: "With this token the computer's service becomes a device of the server without waiting for an administrator. It is used once and not kept.\n\nThis is a secret. Every computer and every account of the domain can read what Group Policy distributes, and users of this computer may be able to read it here. Use a token that is good for a short time, for one group and for your networks only (platen-server enrolment create --campaign --network …), and remove this policy when the computers are enrolled. Without a token the computer asks, and an administrator approves it at the server: that needs no secret.",
			},
		},
		choices: map[string]string{
			"AuthMode_auto": "Automatic", "AuthMode_trust": "The computer vouches for the person", "AuthMode_microsoft": "Microsoft",
			"AuthMode_browser": "Browser", "AuthMode_prompt": "Account and password",
			"DeviceRole_personal": "Personal computer", "DeviceRole_shared": "Shared computer",
			"ShowBalanceAtStart_notification": "Notification", "ShowBalanceAtStart_window": "Window", "ShowBalanceAtStart_nothing": "Nothing",
			"Language_en": "English", "Language_de": "German", "Language_fr": "French", "Language_es": "Spanish",
			"LogLevel_error": "Errors", "LogLevel_warn": "Warnings", "LogLevel_info": "Information", "LogLevel_debug": "Debug",
		},
	}
}
