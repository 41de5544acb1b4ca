# A mail server for one test: it takes mail into a folder and behaves badly for some recipients. Written for Debian's
# python3-aiosmtpd. Arguments: address, folder, how ("starttls", "implicit" or "plain"), certificate, key, user, password ("" for none).
import asyncio, json, os, ssl, sys

from aiosmtpd.smtp import SMTP, AuthResult

address, folder, how, cert, key, user, password = sys.argv[1:]


class Handler:
    count = len(os.listdir(folder))

    async def handle_RCPT(self, server, session, envelope, to, options):
        name = to.split("@")[0]
        if name == "unknown":
            return "550 5.1.1 there is nobody of that name"
        if name == "busy":
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        name = envelope.rcpt_tos[0].split("@")[0]
        if name == "spam":
            return "554 5.7.1 this looks like spam"
        if name == "slow-down":
            return "421 4.7.0 too many messages"
        Handler.count += 1
        stem = os.path.join(folder, "%06d" % Handler.count)
        with open(stem + ".tmp", "wb") as f:
            head = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": bool(session.ssl) or how == "implicit", "login": bool(session.authenticated)}
            f.write(json.dumps(head).encode() + b"\n" + envelope.original_content)
        os.rename(stem + ".tmp", stem + ".eml")
        if name == "vanish":  # taken, but the answer never arrives
            server.transport.abort()
            await asyncio.sleep(3600)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    ok = data.login.decode() == user and data.password.decode() == password
    return AuthResult(success=ok, handled=False)


async def main():
    context = None
    if how != "plain":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(cert, key)
    options = {"hostname": "mail.example.org"}
    if how == "starttls":
        options.update(tls_context=context, require_starttls=True)
    if user:
        options.update(authenticator=authenticate, auth_required=True, auth_require_tls=how == "starttls")
    host, port = address.rsplit(":", 1)
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: SMTP(Handler(), loop=loop, **options), host, int(port), ssl=context if how == "implicit" else None)
    await asyncio.Event().wait()


asyncio.run(main())
