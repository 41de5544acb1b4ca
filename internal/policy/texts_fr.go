//nolint:misspell // not English
package policy

func french() texts {
	return texts{
		displayName: "Platen", description: "Paramètres de Platen, le client d’impression",
		supported: "Platen sous Windows 10, Windows Server 2016 ou version ultérieure",
		categories: map[string]words{
			categoryClient:      {name: "Client (imposé)", help: "Paramètres que personne ne peut modifier sur l’ordinateur."},
			categoryRecommended: {name: "Recommandé (modifiable)", help: "Paramètres qui s’appliquent tant que personne n’en choisit d’autres sur l’ordinateur."},
			categoryDeploy:      {name: "Inscription", help: "Comment le service de l’ordinateur prouve au serveur qu’il a le droit de devenir un appareil."},
		},
		enforced:        "Imposé : ce paramètre l’emporte sur tous les autres et personne ne peut le modifier sur l’ordinateur.",
		recommended:     "Recommandé : ce paramètre s’applique tant que personne n’en choisit un autre sur l’ordinateur ; un paramètre imposé l’emporte sur lui.",
		recommendedName: "%s (recommandé)",
		policies: map[string]words{
			"ServerURL": {
				name: "Serveur d’impression", label: "Adresse, par exemple https://print.example.org:8443 :",
				help: "L’adresse du serveur d’impression : https, un nom d’hôte et éventuellement un port, rien de plus.\n\nSi vous activez ce paramètre, Platen utilise ce serveur et n’en cherche aucun autre. Si vous ne le configurez pas, Platen utilise le serveur indiqué par l’installation, un fichier de configuration, le nom de fichier du paquet ou le réseau ; un serveur que seuls le nom de fichier ou le réseau indiquent n’est utilisé qu’une fois confirmé par la personne.",
			},
			"CAFile": {
				name: "Autorité de certification du serveur : fichier", label: "Chemin du fichier PEM :",
				help: "Un fichier PEM contenant l’autorité de certification qui a délivré le certificat du serveur. Pour Platen, il remplace le magasin de certificats du système.\n\nSi vous ne configurez pas ce paramètre, Platen se fie au magasin du système ou, s’il y en a une, à l’empreinte.",
			},
			"CAPin": {
				name: "Autorité de certification du serveur : empreinte", label: "Empreinte, par exemple sha256/…= ; séparez-en plusieurs par des virgules :",
				help: "L’empreinte de l’autorité de certification qui a délivré le certificat du serveur, telle que le serveur l’affiche au démarrage. L’ordinateur n’a alors besoin d’aucun fichier de certificat.\n\nSi vous activez ce paramètre, un serveur dont le certificat ne vient pas d’une autorité ainsi désignée est refusé. Si vous ne le configurez pas, Platen se fie au magasin de certificats du système.",
			},
			"UPNSuffix": {
				name: "Suffixe des noms de compte", label: "Suffixe, par exemple example.org, ou règles :",
				help: "Ce que Platen place après le @ quand l’ordinateur ne connaît une personne que par un nom court : un suffixe comme example.org, ou des règles séparées par des points-virgules, dont la première qui convient s’applique : CORP=example.org;10.1.0.0/16=lab.example.org.\n\nSi vous ne configurez pas ce paramètre, les règles du serveur s’appliquent.",
			},
			"AuthMode": {
				name: "Mode de connexion", label: "Mode de connexion :",
				help: "Avec « Automatique », le serveur et le groupe qu’il donne à l’ordinateur en décident. Tout autre choix n’autorise que ce mode, même s’il ne fonctionne pas.",
			},
			"MicrosoftAuthority": {
				name: "Adresse supplémentaire pour la connexion à Microsoft", label: "Adresse, par exemple https://login.example.org :",
				help: "Une adresse de plus, outre celles de Microsoft, vers laquelle le serveur peut envoyer les utilisateurs pour qu’ils se connectent à Microsoft. Nom d’hôte et port uniquement.\n\nSi vous ne configurez pas ce paramètre, seules les adresses de Microsoft sont acceptées.",
			},
			"AutoStart": {
				name: "Démarrer Platen à l’ouverture de session",
				help: "Si vous activez ce paramètre ou ne le configurez pas, Platen démarre pour toute personne qui ouvre une session. Si vous le désactivez, les utilisateurs le démarrent eux-mêmes.",
			},
			"Enrol": {
				name: "Permettre à l’ordinateur de demander son inscription",
				help: "Si vous activez ce paramètre ou ne le configurez pas, le service de l’ordinateur demande de lui-même au serveur de l’inscrire comme appareil, lequel se porte garant des personnes qui ont ouvert une session. Un administrateur l’approuve sur le serveur, ou un jeton d’inscription suffit. Si vous le désactivez, le serveur ne connaît pas l’ordinateur et les utilisateurs se connectent eux-mêmes.",
			},
			"DeviceRole": {
				name: "Rôle de l’ordinateur", label: "Rôle :",
				help: "Un ordinateur partagé demande à chacun qui il est et n’en conserve rien ; c’est le bon choix pour les guichets, les laboratoires et les amphithéâtres. Si vous ne configurez pas ce paramètre, l’ordinateur est personnel.",
			},
			"SharedOSUsers": {
				name: "Comptes utilisés par plusieurs personnes", label: "Noms de compte, un par ligne :",
				help: "Comptes du système d’exploitation que plusieurs personnes utilisent, par exemple kiosk. Platen demande qui imprime à toute personne dont la session est ouverte avec l’un d’eux.",
			},
			"HideBalance": {
				name: "Masquer les montants",
				help: "Si vous activez ce paramètre, Platen n’affiche aucun montant. Si vous le désactivez ou ne le configurez pas, les utilisateurs voient leur solde.",
			},
			"LowBalance": {
				name: "Solde bas", label: "Montant, par exemple 2.00 :",
				help: "En dessous de ce montant, le solde est considéré comme bas : l’icône change et une notification s’affiche. Écrivez-le avec un point et sans devise.\n\nSi vous ne configurez pas ce paramètre, le montant du serveur s’applique.",
			},
			"ShowBalanceAtStart": {
				name: "Afficher le solde après l’ouverture de session", label: "Afficher sous forme de :",
				help: "Ce qui affiche le solde après l’ouverture de session. Si vous ne configurez pas ce paramètre, c’est une notification.",
			},
			"TopUpURL": {
				name: "Adresse pour acheter du crédit", label: "Adresse, par exemple https://pay.example.org/credit :",
				help: "L’adresse qui s’ouvre quand une personne souhaite acheter du crédit. Si vous ne configurez pas ce paramètre, celle du serveur s’applique.",
			},
			"Language": {
				name: "Langue", label: "Langue :",
				help: "La langue des fenêtres et des notifications de Platen. Si vous ne configurez pas ce paramètre, c’est celle du système.",
			},
			"Proxy": {
				name: "Proxy", label: "http://HOST:PORT, ou direct :",
				help: "Le proxy par lequel Platen atteint son serveur, ou direct pour n’en utiliser aucun. Il ne contient jamais de nom d’utilisateur ni de mot de passe.\n\nSi vous ne configurez pas ce paramètre, le proxy de l’environnement s’applique, sinon celui du système.",
			},
			"LogLevel": {
				name: "Niveau de détail du journal", label: "Niveau :",
				help: "Si vous ne configurez pas ce paramètre, le niveau est « Informations ». « Débogage » sert à chercher une panne et remplit le journal.",
			},
			"EnrolmentToken": {
				name: "Jeton d’inscription", label: "Jeton, tel que l’affiche platen-server enrolment create :",
				help: "Avec ce jeton, le service de l’ordinateur devient un appareil du serveur sans attendre un administrateur. Il est utilisé une fois et n’est pas conservé.\n\nCe jeton est secret. Tout ordinateur et tout compte du domaine peut lire ce que diffusent les stratégies de groupe, et les utilisateurs de cet ordinateur peuvent peut-être le lire ici. Utilisez un jeton valable peu de temps, pour un seul groupe et dans vos réseaux seulement (platen-server enrolment create --campaign --network …), et retirez cette stratégie une fois les ordinateurs inscrits. Sans jeton, l’ordinateur demande et un administrateur l’approuve sur le serveur : cela n’exige aucun secret.",
			},
		},
		choices: map[string]string{
			"AuthMode_auto": "Automatique", "AuthMode_trust": "L’ordinateur se porte garant de la personne", "AuthMode_microsoft": "Microsoft",
			"AuthMode_browser": "Navigateur", "AuthMode_prompt": "Compte et mot de passe",
			"DeviceRole_personal": "Ordinateur personnel", "DeviceRole_shared": "Ordinateur partagé",
			"ShowBalanceAtStart_notification": "Notification", "ShowBalanceAtStart_window": "Fenêtre", "ShowBalanceAtStart_nothing": "Rien",
			"Language_en": "Anglais", "Language_de": "Allemand", "Language_fr": "Français", "Language_es": "Espagnol",
			"LogLevel_error": "Erreurs", "LogLevel_warn": "Avertissements", "LogLevel_info": "Informations", "LogLevel_debug": "Débogage",
		},
	}
}
