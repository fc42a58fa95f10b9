/* GET /piccolo/v1/journal?limit=N&before=SEQ: who changed what, newest first. */
#include "hub/admin_api/admin.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000

struct waiting {
	struct pic_kept kept;	       /* first */
	struct pic_exchange *exchange; /* NULL: its peer went away */
};

static void on_gone(struct pic_kept *kept, struct pic_exchange *exchange)
{
	(void)exchange;
	((struct waiting *)kept)->exchange = NULL;
}

static void on_read(void *data, struct pic_json *entries, const struct pic_error *err)
{
	struct waiting *waiting = data;
	PIC_JSON struct pic_json *reply = pic_json_new_object();

	if (waiting->exchange) {
		pic_exchange_set_data(waiting->exchange, NULL);
		pic_json_set(reply, "entries", pic_json_ref(entries));
		if (err)
			pic_plain_refuse(waiting->exchange, 500, err->text);
		else
			pic_reply_json(waiting->exchange, 200, reply);
	}
	free(waiting);
}

void pic_admin_journal(struct pic_hub *hub, struct pic_exchange *exchange,
		       const struct pic_route_match *match)
{
	struct pic_error err = PIC_ERROR_INIT;
	long long limit, before;

	(void)match;
	if (pic_admin_query_number(exchange, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit) < 0 ||
	    pic_admin_query_number(exchange, "before", 0, INT64_MAX, 0, &before) < 0)
		return;
	struct waiting *waiting = calloc(1, sizeof(*waiting));
	if (!waiting ||
	    pic_store_journal_list(hub->store, before, limit, on_read, waiting, &err) < 0) {
		free(waiting);
		pic_plain_refuse(exchange, 503, "no memory to read the journal");
		return;
	}
	*waiting = (struct waiting){ { on_gone }, exchange };
	pic_exchange_set_data(exchange, waiting);
}
