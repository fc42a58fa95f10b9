/* One request for a command line: a loop of its own, until the answer is there. */
#include <stddef.h>

#include "net/client.h"

struct performed {
	const struct pic_client_request *request;
	struct pic_loop *loop;
	struct pic_buf *body;
	struct pic_client_answer *answer;
	int result;
};

/* `data` of the copied request is ours; the caller's callbacks get their own. */

static int receive(void *data, const void *bytes, size_t size)
{
	const struct performed *performed = data;

	return performed->request->receive(performed->request->data, bytes, size);
}

static void started(void *data, int status)
{
	const struct performed *performed = data;

	performed->request->started(performed->request->data, status);
}

static int progress(void *data, size_t so_far, long long expected)
{
	const struct performed *performed = data;

	return performed->request->progress(performed->request->data, so_far, expected);
}

static void done(void *data, const struct pic_client_answer *answer)
{
	struct performed *performed = data;

	*performed->answer = *answer;
	performed->answer->body = (struct pic_view){ NULL, 0 };
	performed->answer->content_type = NULL;
	performed->answer->etag = NULL;
	performed->answer->location = NULL;
	if (performed->body)
		pic_buf_add(performed->body, answer->body.data, answer->body.size);
	pic_loop_stop(performed->loop);
}

static int perform(struct performed *performed, const struct pic_client_settings *settings,
		   struct pic_error *err)
{
	struct pic_client_request copy = *performed->request;
	struct pic_client *client = NULL;
	int r = pic_client_new(&client, performed->loop, settings, err);

	if (r < 0)
		return r;
	copy.done = done;
	copy.data = performed;
	copy.receive = copy.receive ? receive : NULL;
	copy.started = copy.started ? started : NULL;
	copy.progress = copy.progress ? progress : NULL;
	r = pic_client_send(client, &copy, NULL, err);
	if (r == 0)
		r = pic_loop_run(performed->loop, err);
	pic_client_free(client);
	return r;
}

int pic_client_perform(const struct pic_client_settings *settings,
		       const struct pic_client_request *request, struct pic_buf *body,
		       struct pic_client_answer *answer, struct pic_error *err)
{
	struct performed performed = { .request = request, .body = body, .answer = answer };
	int r = pic_loop_new(&performed.loop, err);

	if (r < 0)
		return r;
	*answer = (struct pic_client_answer){ .failure = PIC_CLIENT_LOCAL, .retry_after_ms = -1 };
	r = perform(&performed, settings, err);
	pic_loop_free(performed.loop);
	if (r == 0 && answer->failure != PIC_CLIENT_OK)
		return pic_error_set(err, answer->error.code, "%s", answer->error.text);
	return r == 0 && body ? pic_buf_check(body, "the answer", err) : r;
}
