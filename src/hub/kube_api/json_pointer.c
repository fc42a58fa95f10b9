/* JSON pointers, RFC 6901. */
#include "hub/kube_api/json_pointer.h"

#include <errno.h>
#include <string.h>

void pic_pointer_free(struct pic_pointer *pointer)
{
	free(pointer->text);
	*pointer = (struct pic_pointer){ 0 };
}

/* Undoes ~0 and ~1 in place; false on any other use of '~'. */
static bool unescape(char *token)
{
	char *to = token;

	for (const char *from = token; *from; from++) {
		if (*from != '~') {
			*to++ = *from;
			continue;
		}
		from++;
		if (*from != '0' && *from != '1')
			return false;
		*to++ = *from == '0' ? '~' : '/';
	}
	*to = '\0';
	return true;
}

int pic_pointer_parse(const char *text, struct pic_pointer *out, struct pic_error *err)
{
	PIC_POINTER struct pic_pointer pointer = { 0 };

	if (*text && *text != '/')
		return pic_error_set(err, -EBADMSG,
				     "the path \"%.200s\" must be empty or begin with a slash",
				     text);
	pointer.text = strdup(text);
	if (!pointer.text)
		return pic_error_set(err, -ENOMEM, "no memory for a patch path");
	for (char *at = *text ? pointer.text : NULL; at;) {
		char *token = at + 1;
		*at = '\0';
		at = strchr(token, '/');
		if (pointer.count == PIC_COUNT(pointer.tokens))
			return pic_error_set(err, -EBADMSG, "the path \"%.200s\" is deeper than %d",
					     text, PIC_JSON_DEPTH_MAX);
		pointer.tokens[pointer.count++] = token;
	}
	for (size_t i = 0; i < pointer.count; i++)
		if (!unescape((char *)pointer.tokens[i]))
			return pic_error_set(
				err, -EBADMSG,
				"the path \"%.200s\" has a ~ that is neither ~0 nor ~1", text);
	*out = pointer;
	pointer.text = NULL;
	return 0;
}

bool pic_pointer_index(const char *token, size_t limit, size_t *out)
{
	size_t value = 0;

	if (!*token || (*token == '0' && token[1]))
		return false;
	for (; *token; token++) {
		if (*token < '0' || *token > '9' || value > limit)
			return false;
		value = value * 10 + (size_t)(*token - '0');
	}
	if (value >= limit)
		return false;
	*out = value;
	return true;
}

static struct pic_json *step(struct pic_json *at, const char *token)
{
	size_t index;

	if (pic_json_type(at) == PIC_JSON_OBJECT)
		return pic_json_get(at, token);
	if (pic_json_type(at) == PIC_JSON_ARRAY &&
	    pic_pointer_index(token, pic_json_count(at), &index))
		return pic_json_at(at, index);
	return NULL;
}

struct pic_json *pic_pointer_walk(struct pic_json *root, const struct pic_pointer *pointer,
				  size_t count)
{
	struct pic_json *at = root;

	for (size_t i = 0; at && i < count; i++)
		at = step(at, pointer->tokens[i]);
	return at;
}

bool pic_pointer_is_prefix(const struct pic_pointer *prefix, const struct pic_pointer *of)
{
	if (prefix->count > of->count)
		return false;
	for (size_t i = 0; i < prefix->count; i++)
		if (strcmp(prefix->tokens[i], of->tokens[i]) != 0)
			return false;
	return true;
}
