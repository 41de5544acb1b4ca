//nolint:misspell // not English
package policy

func spanish() texts {
	return texts{
		displayName: "Platen", description: "Configuración de Platen, el cliente de impresión",
		supported: "Platen en Windows 10, Windows Server 2016 o posterior",
		categories: map[string]words{
			categoryClient:      {name: "Cliente (obligatorio)", help: "Opciones que nadie puede cambiar en el equipo."},
			categoryRecommended: {name: "Recomendado (se puede cambiar)", help: "Opciones que se aplican mientras nadie elija otra cosa en el equipo."},
			categoryDeploy:      {name: "Registro", help: "Cómo demuestra el servicio del equipo al servidor que puede convertirse en dispositivo."},
		},
		enforced:        "Obligatorio: prevalece sobre todo lo demás y nadie puede cambiarlo en el equipo.",
		recommended:     "Recomendado: se aplica mientras nadie elija otra cosa en el equipo; una opción obligatoria prevalece sobre ella.",
		recommendedName: "%s (recomendado)",
		policies: map[string]words{
			"ServerURL": {
				name: "Servidor de impresión", label: "Dirección, por ejemplo https://print.example.org:8443:",
				help: "La dirección del servidor de impresión: https, un nombre de host y, si hace falta, un puerto; nada más.\n\nSi habilita esta opción, Platen usa este servidor y no busca ningún otro. Si no la configura, Platen usa el servidor que indican la instalación, un archivo de configuración, el nombre de archivo del paquete o la red; un servidor que solo indican el nombre de archivo o la red se usa únicamente después de que la persona lo confirme.",
			},
			"CAFile": {
				name: "Entidad de certificación del servidor: archivo", label: "Ruta del archivo PEM:",
				help: "Un archivo PEM con la entidad de certificación que emitió el certificado del servidor. Para Platen sustituye al almacén de certificados del sistema.\n\nSi no configura esta opción, Platen confía en el almacén del sistema o, si la hay, en la huella.",
			},
			"CAPin": {
				name: "Entidad de certificación del servidor: huella", label: "Huella, por ejemplo sha256/…=; si hay varias, sepárelas con comas:",
				help: "La huella de la entidad de certificación que emitió el certificado del servidor, tal como el servidor la muestra al iniciarse. Así el equipo no necesita ningún archivo de certificado.\n\nSi habilita esta opción, se rechaza un servidor cuyo certificado no proceda de una entidad indicada aquí. Si no la configura, Platen confía en el almacén de certificados del sistema.",
			},
			"UPNSuffix": {
				name: "Sufijo de los nombres de cuenta", label: "Sufijo, por ejemplo example.org, o reglas:",
				help: "Lo que Platen pone detrás de la @ cuando el equipo solo conoce a una persona por un nombre corto: un sufijo como example.org, o reglas separadas por punto y coma, de las que se aplica la primera que encaje: CORP=example.org;10.1.0.0/16=lab.example.org.\n\nSi no configura esta opción, se aplican las reglas del servidor.",
			},
			"AuthMode": {
				name: "Forma de iniciar sesión", label: "Forma de iniciar sesión:",
				help: "Con «Automática» deciden el servidor y el grupo que el equipo tiene en él. Cualquier otra elección permite solo esa forma, aunque no funcione.",
			},
			"MicrosoftAuthority": {
				name: "Dirección adicional para iniciar sesión en Microsoft", label: "Dirección, por ejemplo https://login.example.org:",
				help: "Una dirección más, además de las de Microsoft, a la que el servidor puede enviar a los usuarios para que inicien sesión en Microsoft. Solo nombre de host y puerto.\n\nSi no configura esta opción, solo se aceptan las direcciones de Microsoft.",
			},
			"AutoStart": {
				name: "Iniciar Platen al iniciar sesión en el equipo",
				help: "Si habilita esta opción o no la configura, Platen se inicia para todas las personas que inician sesión en el equipo. Si la deshabilita, los usuarios lo inician ellos mismos.",
			},
			"Enrol": {
				name: "Permitir que el equipo solicite registrarse",
				help: "Si habilita esta opción o no la configura, el servicio del equipo solicita por sí mismo al servidor que lo registre como dispositivo, que responde de las personas que han iniciado sesión. Un administrador lo aprueba en el servidor, o basta un token de registro. Si la deshabilita, el servidor no conoce el equipo y los usuarios inician sesión ellos mismos.",
			},
			"DeviceRole": {
				name: "Función del equipo", label: "Función:",
				help: "Un equipo compartido pregunta a cada persona quién es y no conserva nada de ella; es lo adecuado para mostradores, laboratorios y aulas. Si no configura esta opción, el equipo es personal.",
			},
			"SharedOSUsers": {
				name: "Cuentas que usan varias personas", label: "Nombres de cuenta, uno por línea:",
				help: "Cuentas del sistema operativo que usan varias personas, por ejemplo kiosk. A quien ha iniciado sesión con una de ellas se le pregunta quién imprime.",
			},
			"HideBalance": {
				name: "Ocultar importes",
				help: "Si habilita esta opción, Platen no muestra ningún importe. Si la deshabilita o no la configura, los usuarios ven su saldo.",
			},
			"LowBalance": {
				name: "Saldo bajo", label: "Importe, por ejemplo 2.00:",
				help: "Por debajo de este importe, el saldo se considera bajo: el icono cambia y se muestra una notificación. Escríbalo con punto y sin moneda.\n\nSi no configura esta opción, se aplica el importe del servidor.",
			},
			"ShowBalanceAtStart": {
				name: "Mostrar el saldo tras iniciar sesión", label: "Mostrar como:",
				help: "Lo que muestra el saldo después de que alguien inicie sesión en el equipo. Si no configura esta opción, es una notificación.",
			},
			"TopUpURL": {
				name: "Dirección para comprar crédito", label: "Dirección, por ejemplo https://pay.example.org/credit:",
				help: "La dirección que se abre cuando alguien quiere comprar crédito. Si no configura esta opción, se usa la del servidor.",
			},
			"Language": {
				name: "Idioma", label: "Idioma:",
				help: "El idioma de las ventanas y notificaciones de Platen. Si no configura esta opción, es el del sistema.",
			},
			"Proxy": {
				name: "Proxy", label: "http://HOST:PORT, o direct:",
				help: "El proxy por el que Platen llega a su servidor, o direct para no usar ninguno. Nunca contiene un nombre de usuario ni una contraseña.\n\nSi no configura esta opción, se usa el proxy del entorno y, si no lo hay, el del sistema.",
			},
			"LogLevel": {
				name: "Nivel de detalle del registro de sucesos", label: "Nivel:",
				help: "Si no configura esta opción, el nivel es «Información». «Depuración» sirve para buscar un fallo y llena el registro de sucesos.",
			},
			"EnrolmentToken": {
				name: "Token de registro", label: "Token, tal como lo muestra platen-server enrolment create:",
				help: "Con este token el servicio del equipo se convierte en dispositivo del servidor sin esperar a un administrador. Se usa una vez y no se conserva.\n\nEs un secreto. Cualquier equipo y cualquier cuenta del dominio puede leer lo que distribuyen las directivas de grupo, y es posible que los usuarios de este equipo puedan leerlo aquí. Use un token válido durante poco tiempo, para un solo grupo y solo en sus redes (platen-server enrolment create --campaign --network …), y quite esta directiva cuando los equipos estén registrados. Sin token, el equipo lo solicita y un administrador lo aprueba en el servidor: eso no requiere ningún secreto.",
			},
		},
		choices: map[string]string{
			"AuthMode_auto": "Automática", "AuthMode_trust": "El equipo responde de la persona", "AuthMode_microsoft": "Microsoft",
			"AuthMode_browser": "Navegador", "AuthMode_prompt": "Cuenta y contraseña",
			"DeviceRole_personal": "Equipo personal", "DeviceRole_shared": "Equipo compartido",
			"ShowBalanceAtStart_notification": "Notificación", "ShowBalanceAtStart_window": "Ventana", "ShowBalanceAtStart_nothing": "Nada",
			"Language_en": "Inglés", "Language_de": "Alemán", "Language_fr": "Francés", "Language_es": "Español",
			"LogLevel_error": "Errores", "LogLevel_warn": "Advertencias", "LogLevel_info": "Información", "LogLevel_debug": "Depuración",
		},
	}
}
