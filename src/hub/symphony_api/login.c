/*
 * POST users/auth and greetings. The flow of the original with real credentials: user admin, the admin
 * token as password. The original's own login, admin without a password, is open only on the loopback
 * listener and only with --insecure-demo, and what it gives is worth nothing anywhere else.
 */
#include <string.h>

#include "base/log.h"
#include "hub/symphony_api/room.h"

static void reply_token(struct pic_exchange *exchange, const char *token)
{
	PIC_JSON struct pic_json *body = pic_json_new_object();

	pic_json_set_text(body, "accessToken", token);
	pic_json_set_text(body, "tokenType", "Bearer");
	pic_json_set_text(body, "username", "admin");
	pic_json_set(body, "roles", pic_json_new_null());
	pic_reply_json(exchange, 200, body);
}

static void refuse_login(struct pic_exchange *exchange)
{
	static const char why[] = "login failed";

	pic_log(PIC_LOG_WARNING, "login-refused", PIC_TEXT("peer", pic_exchange_peer(exchange)));
	pic_reply(exchange, 403, "text/plain; charset=utf-8", why, sizeof(why) - 1);
}

void pic_symphony_login(struct pic_hub *hub, struct pic_exchange *exchange,
			const struct pic_route_match *match)
{
	PIC_JSON struct pic_json *body = NULL;
	struct pic_view text = pic_exchange_body(exchange);
	char token[PIC_TOKEN_TEXT];

	(void)match;
	if (pic_json_parse(&body, text.data ? text.data : "", text.size, NULL) < 0) {
		refuse_login(exchange);
		return;
	}
	const char *user = pic_json_get_text(body, "username");
	const char *password = pic_json_get_text(body, "password");
	const bool is_demo = hub->insecure_demo && !pic_exchange_is_tls(exchange);
	if (!user || !password || strcmp(user, "admin") != 0) {
		refuse_login(exchange);
		return;
	}
	if (is_demo && !*password) {
		pic_identity_demo_session(hub->identity, token);
	} else if (pic_identity_is_admin_token(hub->identity, password)) {
		pic_identity_session(hub->identity, token);
	} else {
		refuse_login(exchange);
		return;
	}
	reply_token(exchange, token);
	explicit_bzero(token, sizeof(token));
}

void pic_symphony_greet(struct pic_hub *hub, struct pic_exchange *exchange,
			const struct pic_route_match *match)
{
	static const char text[] = "Hello from a Piccolo hub";

	(void)hub;
	(void)match;
	pic_reply(exchange, 200, "application/text", text, sizeof(text) - 1);
}
