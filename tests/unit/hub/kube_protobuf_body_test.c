/* Bodies as kubectl 1.32 and later send them, and what is done with damaged ones. */
#include "hub/kube_testing.h"

#include <errno.h>

#include "base/text.h"
#include "hub/kube_api/protobuf_body.h"
#include "hub/kube_api/wire.h"

/* `kubectl create namespace foo` */
static const char create_namespace[] =
	"6b3873000a0f0a02763112094e616d657370616365121b0a130a03666f6f12001a0022002a0032003800420012001a020a"
	"001a002200";

static int decode(const char *hex, struct pic_json **out)
{
	unsigned char bytes[1024];
	size_t size = strlen(hex) / 2;
	struct pic_error err = PIC_ERROR_INIT;

	assert_true(size <= sizeof(bytes));
	assert_int_equal(pic_hex_decode(hex, bytes, size), 0);
	int r = pic_kube_protobuf_body((struct pic_view){ (char *)bytes, size }, out, &err);
	assert_int_equal(r, err.code);
	return r;
}

static void a_namespace(void **state)
{
	PIC_JSON struct pic_json *json = NULL;

	(void)state;
	assert_int_equal(decode(create_namespace, &json), 0);
	assert_tree(
		json,
		"{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"foo\"}}");
}

/* Wraps a message the way a client does. */
static void wrap(struct pic_buf *out, const char *version, const char *kind,
		 const struct pic_buf *raw)
{
	PIC_BUF struct pic_buf meta = PIC_BUF_INIT(4096);

	pic_wire_text(&meta, 1, version);
	pic_wire_text(&meta, 2, kind);
	pic_buf_add(out, "k8s", 4);
	pic_wire_message(out, 1, &meta);
	pic_wire_message(out, 2, raw);
	pic_wire_text(out, 3, "");
	pic_wire_text(out, 4, "");
}

static void an_access_review(void **state)
{
	PIC_BUF struct pic_buf resource = PIC_BUF_INIT(4096), spec = PIC_BUF_INIT(4096);
	PIC_BUF struct pic_buf raw = PIC_BUF_INIT(4096), body = PIC_BUF_INIT(4096);
	PIC_JSON struct pic_json *json = NULL;

	(void)state;
	pic_wire_text(&resource, 1, "default");
	pic_wire_text(&resource, 2, "get");
	pic_wire_text(&resource, 3, "fabric.symphony");
	pic_wire_text(&resource, 5, "targets");
	pic_wire_text(&resource, 6, "");
	pic_wire_bool(&resource, 30, true); /* a field of tomorrow */
	pic_wire_message(&spec, 1, &resource);
	pic_wire_message(&raw, 2, &spec);
	wrap(&body, "authorization.k8s.io/v1", "SelfSubjectAccessReview", &raw);
	assert_int_equal(pic_kube_protobuf_body(pic_buf_view(&body), &json, NULL), 0);
	assert_tree(
		json,
		"{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SelfSubjectAccessReview\","
		"\"spec\":{\"resourceAttributes\":{\"namespace\":\"default\",\"verb\":\"get\","
		"\"group\":\"fabric.symphony\",\"resource\":\"targets\"}}}");
}

static void labels_and_annotations(void **state)
{
	PIC_BUF struct pic_buf entry = PIC_BUF_INIT(4096), meta = PIC_BUF_INIT(4096);
	PIC_BUF struct pic_buf raw = PIC_BUF_INIT(4096), body = PIC_BUF_INIT(4096);
	PIC_JSON struct pic_json *json = NULL;

	(void)state;
	pic_wire_text(&entry, 1, "team");
	pic_wire_text(&entry, 2, "blue");
	pic_wire_text(&meta, 1, "n");
	pic_wire_message(&meta, 11, &entry);
	pic_buf_clear(&entry);
	pic_wire_text(&entry, 1, "empty");
	pic_wire_message(&meta, 12, &entry);
	pic_wire_message(&raw, 1, &meta);
	wrap(&body, "v1", "Namespace", &raw);
	assert_int_equal(pic_kube_protobuf_body(pic_buf_view(&body), &json, NULL), 0);
	assert_tree(json,
		    "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"n\","
		    "\"labels\":{\"team\":\"blue\"},\"annotations\":{\"empty\":\"\"}}}");
}

static void damaged_bodies(void **state)
{
	PIC_JSON struct pic_json *json = NULL;
	PIC_BUF struct pic_buf raw = PIC_BUF_INIT(4096), body = PIC_BUF_INIT(4096);
	char cut[sizeof(create_namespace)];
	int failed = 0;

	(void)state;
	assert_int_equal(decode("6b387301", &json), -EBADMSG);
	assert_int_equal(decode("6b3873000aff", &json), -EBADMSG);
	for (size_t size = 0; size < strlen(create_namespace); size += 2) {
		PIC_JSON struct pic_json *ignored = NULL;
		memcpy(cut, create_namespace, size);
		cut[size] = '\0';
		failed += decode(cut, &ignored) < 0;
	}
	/* cut after the type, after the whole object, and after its two trailers: still readable */
	assert_int_equal(failed, (int)strlen(create_namespace) / 2 - 3);
	pic_wire_text(&raw, 1, "x");
	wrap(&body, "v1", "Pod", &raw);
	assert_int_equal(pic_kube_protobuf_body(pic_buf_view(&body), &json, NULL), -ENOTSUP);
	assert_null(json);
}

static void texts_that_are_no_text(void **state)
{
	PIC_JSON struct pic_json *json = NULL;
	PIC_BUF struct pic_buf meta = PIC_BUF_INIT(4096), raw = PIC_BUF_INIT(4096);
	PIC_BUF struct pic_buf body = PIC_BUF_INIT(4096);

	(void)state;
	pic_wire_bytes(&meta, 1, "a\0b", 3);
	pic_wire_message(&raw, 1, &meta);
	wrap(&body, "v1", "Namespace", &raw);
	assert_int_equal(pic_kube_protobuf_body(pic_buf_view(&body), &json, NULL), -EBADMSG);
	pic_buf_clear(&meta), pic_buf_clear(&raw), pic_buf_clear(&body);
	pic_wire_bytes(&meta, 1, "\xff\xfe", 2);
	pic_wire_message(&raw, 1, &meta);
	wrap(&body, "v1", "Namespace", &raw);
	assert_int_equal(pic_kube_protobuf_body(pic_buf_view(&body), &json, NULL), -EBADMSG);
	assert_null(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_namespace),
		cmocka_unit_test(an_access_review),
		cmocka_unit_test(labels_and_annotations),
		cmocka_unit_test(damaged_bodies),
		cmocka_unit_test(texts_that_are_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
