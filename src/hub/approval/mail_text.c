#include "hub/approval/mail_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"

#define SUBJECT_MAX 120
#define PART_MAX (128 * 1024)
#define LINE_MAX_BYTES 76
#define VALUE_MAX 400
#define ITEMS_SHOWN 20
#define PROGRAMS_SHOWN 8
#define GRANTS_SHOWN 4
/* device, component, digest, what its programs are and how many more, grants, helpers, maps */
#define ITEM_ROWS (3 + PROGRAMS_SHOWN + 1 + GRANTS_SHOWN + 2)
/* how many items more, opens, closes or for, decide before: these have their places whatever is asked for */
#define CLOSING_ROWS 4

/* Strangers' words. */

static bool is_plain(uint32_t point)
{
	return point >= ' ' && point < 0x7f;
}

/* One character, a control or damaged one as "?", a line's end as a blank; its size in `text`. */
static size_t next_clean(const char *text, size_t size, uint32_t *point)
{
	size_t used = pic_utf8_next(text, size, point);

	if (used && !pic_utf8_is_control(*point))
		return used;
	*point = used && strchr("\t\n\r", (int)*point) && *point ? ' ' : '?';
	return used ? used : 1;
}

static void add_utf8(struct pic_buf *out, uint32_t point)
{
	if (point < 0x80) {
		pic_buf_char(out, (char)point);
	} else if (point < 0x800) {
		pic_buf_char(out, (char)(0xc0 | point >> 6));
		pic_buf_char(out, (char)(0x80 | (point & 0x3f)));
	} else if (point < 0x10000) {
		pic_buf_char(out, (char)(0xe0 | point >> 12));
		pic_buf_char(out, (char)(0x80 | (point >> 6 & 0x3f)));
		pic_buf_char(out, (char)(0x80 | (point & 0x3f)));
	} else {
		pic_buf_char(out, (char)(0xf0 | point >> 18));
		pic_buf_char(out, (char)(0x80 | (point >> 12 & 0x3f)));
		pic_buf_char(out, (char)(0x80 | (point >> 6 & 0x3f)));
		pic_buf_char(out, (char)(0x80 | (point & 0x3f)));
	}
}

/* One line of clean text, cut when it is long. An address in it is broken up: the only links of the mail
 * are ours, also where a mail program makes links of what looks like one. */
static void add_clean(struct pic_buf *out, const char *text, size_t maximum)
{
	size_t size = strlen(text), from = out->size;
	uint32_t point;

	while (size && out->size - from < maximum) {
		size_t used = next_clean(text, size, &point);

		add_utf8(out, point);
		if (point == '/' && pic_text_ends(pic_buf_text(out), "://"))
			pic_buf_char(out, ' ');
		text += used;
		size -= used;
	}
	if (size)
		pic_buf_text_add(out, "...");
}

static void add_html(struct pic_buf *out, const char *text)
{
	size_t size = strlen(text);
	uint32_t point;

	while (size) {
		size_t used = next_clean(text, size, &point);
		bool safe = is_plain(point) && !strchr("&<>\"'`=", (int)point);

		if (safe)
			pic_buf_char(out, (char)point);
		else
			pic_buf_format(out, "&#%u;", (unsigned)point);
		text += used;
		size -= used;
	}
}

static const char *word(const struct pic_json *object, const char *key)
{
	const char *text = pic_json_get_text(object, key);

	return text && *text ? text : NULL;
}

/* What is told, once: rows of a name and a value. Both forms are made of them. */

struct row {
	char name[24];
	struct pic_buf value;
};

struct rows {
	struct row items[16 + 8 * ITEMS_SHOWN]; /* most items take seven or eight */
	size_t count;
};

static void rows_free(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		pic_buf_free(&rows->items[i].value);
}

static struct pic_buf *add_row(struct rows *rows, const char *name)
{
	static struct pic_buf nowhere = PIC_BUF_INIT(0);

	if (rows->count == PIC_COUNT(rows->items))
		return &nowhere;
	struct row *row = &rows->items[rows->count++];
	*row = (struct row){ .value = PIC_BUF_INIT(4 * VALUE_MAX) };
	snprintf(row->name, sizeof(row->name), "%s", name);
	return &row->value;
}

static void add_text(struct rows *rows, const char *name, const char *text)
{
	if (text)
		add_clean(add_row(rows, name), text, VALUE_MAX);
}

static void add_list(struct rows *rows, const char *name, const struct pic_json *list)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(8192);

	for (size_t i = 0; i < pic_json_count(list); i++) {
		const char *one = pic_json_text(pic_json_at(list, i));

		if (one)
			pic_buf_format(&text, "%s%s", text.size ? ", " : "", one);
	}
	if (text.size)
		add_text(rows, name, pic_buf_text(&text));
}

static void add_more(struct rows *rows, const char *name, size_t count)
{
	pic_buf_format(add_row(rows, name), "%zu more; the page shows all", count);
}

static void add_programs(struct rows *rows, const struct pic_json *list)
{
	for (size_t i = 0; i < pic_json_count(list) && i < PROGRAMS_SHOWN; i++) {
		const struct pic_json *one = pic_json_at(list, i);
		const char *type = word(one, "type"), *hook = word(one, "hook");
		PIC_BUF struct pic_buf text = PIC_BUF_INIT(2048);

		pic_buf_format(&text, "%s, %s%s%s", word(one, "name") ? word(one, "name") : "?",
			       type ? type : "unknown type", hook ? " at " : "", hook ? hook : "");
		add_text(rows, "Program", pic_buf_text(&text));
	}
	if (pic_json_count(list) > PROGRAMS_SHOWN)
		add_more(rows, "Programs", pic_json_count(list) - PROGRAMS_SHOWN);
}

static const char *grant_sentence(const char *grant)
{
	if (strcmp(grant, "kernel-read") == 0)
		return "reads kernel memory (kernel-read): it can see what other programs on the "
		       "device do";
	if (strcmp(grant, "redirect") == 0)
		return "sends packets elsewhere (redirect)";
	return grant;
}

static void add_item(struct rows *rows, const struct pic_json *item)
{
	const struct pic_json *facts = pic_json_get(item, "facts");
	const struct pic_json *grants = pic_json_get(item, "grants");
	PIC_BUF struct pic_buf what = PIC_BUF_INIT(1024);

	add_text(rows, "Device", word(item, "target"));
	pic_buf_format(&what, "%s of the instance %s, type %s",
		       word(item, "component") ? word(item, "component") : "?",
		       word(item, "instance") ? word(item, "instance") : "?",
		       word(item, "type") ? word(item, "type") : "?");
	add_text(rows, "Component", pic_buf_text(&what));
	add_text(rows, "SHA-256", word(item, "sha256"));
	add_programs(rows, pic_json_get(facts, "programs"));
	for (size_t i = 0; i < pic_json_count(grants) && i < GRANTS_SHOWN; i++) {
		const char *grant = pic_json_text(pic_json_at(grants, i));

		if (grant)
			add_text(rows, "It", grant_sentence(grant));
	}
	add_list(rows, "Helpers", pic_json_get(facts, "helpers"));
	add_list(rows, "Maps", pic_json_get(facts, "maps"));
}

/* "2 h 30 min" */
static void add_length(struct rows *rows, long long seconds, bool is_capped)
{
	struct pic_buf *out = add_row(rows, "For");

	if (seconds >= 3600)
		pic_buf_format(out, "%lld h ", seconds / 3600);
	if (seconds % 3600 >= 60)
		pic_buf_format(out, "%lld min ", seconds % 3600 / 60);
	if (seconds % 60 || seconds == 0)
		pic_buf_format(out, "%lld s ", seconds % 60);
	pic_buf_text_add(out, "from the decision");
	if (is_capped)
		pic_buf_text_add(out, "; the device allows no more");
}

static void fill_rows(struct rows *rows, const struct pic_json *spec)
{
	const struct pic_json *items = pic_json_get(spec, "items");
	long long seconds;
	size_t shown = 0;

	add_text(rows, "Reason", word(spec, "reason"));
	add_text(rows, "Asked by", word(spec, "requestedBy"));
	while (shown < pic_json_count(items) && shown < ITEMS_SHOWN &&
	       rows->count + ITEM_ROWS + CLOSING_ROWS <= PIC_COUNT(rows->items))
		add_item(rows, pic_json_at(items, shown++));
	if (pic_json_count(items) > shown)
		add_more(rows, "And", pic_json_count(items) - shown);
	add_text(rows, "Opens", word(spec, "opens"));
	add_text(rows, "Closes", word(spec, "closes"));
	if (!word(spec, "closes") &&
	    pic_json_integer(pic_json_get(spec, "lengthSeconds"), &seconds))
		add_length(rows, seconds, pic_json_get(spec, "leaseMaxSeconds"));
	add_text(rows, "Decide before", word(spec, "expires"));
}

/* Text. */

void pic_approval_mail_link(const struct pic_approval_mail *mail, struct pic_buf *out)
{
	const char *id = word(pic_object_spec(mail->approval), "id");

	pic_buf_format(out, "%s/approvals/%s", mail->public_url, id ? id : "");
	if (mail->secret)
		pic_buf_format(out, "?key=%s", mail->secret);
}

static void add_value_lines(struct pic_buf *out, const char *name, const char *value)
{
	size_t column;

	pic_buf_format(out, "%s:", name);
	column = strlen(name) + 1;
	while (*value) {
		size_t size = strcspn(value, " ");

		if (size > 600) /* no line may be longer than 998 */
			size = pic_utf8_cut(value, 600);
		if (column + 1 + size > LINE_MAX_BYTES && column > 4) {
			pic_buf_text_add(out, "\r\n   ");
			column = 3;
		}
		pic_buf_char(out, ' ');
		pic_buf_add(out, value, size);
		column += size + 1;
		value += size;
		while (*value == ' ')
			value++;
	}
	pic_buf_text_add(out, "\r\n");
}

static void write_text(const struct pic_approval_mail *mail, const struct rows *rows,
		       const char *link, struct pic_buf *out)
{
	pic_buf_text_add(out, "May this run in the kernel of a device?\r\n\r\n");
	for (size_t i = 0; i < rows->count; i++)
		add_value_lines(out, rows->items[i].name, pic_buf_text(&rows->items[i].value));
	pic_buf_format(out,
		       "\r\nApprove: %s#approve\r\nReject:  %s#reject\r\n\r\nBoth lead to one "
		       "page, which shows this once more. Nothing is decided\r\nbefore you press a "
		       "button there.%s\r\n",
		       link, link,
		       mail->secret ? " The link is yours: do not forward it."
				    : " You have to sign in.");
}

/* HTML. */

static void write_button(struct pic_buf *out, const char *link, const char *choice,
			 const char *text, const char *colour)
{
	pic_buf_text_add(out, "<a href=\"");
	/* "=" and "&" of a link stand as they are: it is our own, of the address and of hexadecimal digits */
	pic_buf_text_add(out, link);
	pic_buf_format(
		out,
		"#%s\"\r\nstyle=\"display:inline-block;padding:10px 22px;margin-right:12px;"
		"background:%s;color:#fff;text-decoration:none;border-radius:6px\">%s</a>\r\n",
		choice, colour, text);
}

static void write_html(const struct pic_approval_mail *mail, const struct rows *rows,
		       const char *link, struct pic_buf *out)
{
	pic_buf_text_add(out, "<!DOCTYPE html>\r\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
			      "<title>Approval</title></head>\r\n<body "
			      "style=\"font-family:sans-serif\">\r\n"
			      "<h2>May this run in the kernel of a device?</h2>\r\n<table>\r\n");
	for (size_t i = 0; i < rows->count; i++) {
		pic_buf_format(out,
			       "<tr><td style=\"padding-right:12px;vertical-align:top;color:#666\">"
			       "%s</td>\r\n<td>",
			       rows->items[i].name);
		/* a line of references may be long: each is at most 8 bytes for one character */
		add_html(out, pic_buf_text(&rows->items[i].value));
		pic_buf_text_add(out, "</td></tr>\r\n");
	}
	pic_buf_text_add(out, "</table>\r\n<p>\r\n");
	write_button(out, link, "approve", "Approve", "#1a7f37");
	write_button(out, link, "reject", "Reject", "#b42318");
	pic_buf_format(out,
		       "</p>\r\n<p>Both lead to one page, which shows this once more. Nothing is "
		       "decided before you press a button there.%s</p>\r\n</body></html>\r\n",
		       mail->secret ? " The link is yours: do not forward it."
				    : " You have to sign in.");
}

/* MIME. */

/* RFC 2045 6.7: the part in lines of at most 76 bytes, all of it printable ASCII. */
static void quote_printable(struct pic_buf *out, const struct pic_buf *part)
{
	size_t column = 0;

	for (size_t i = 0; i < part->size; i++) {
		unsigned char c = (unsigned char)part->data[i];

		if (c == '\r' && i + 1 < part->size && part->data[i + 1] == '\n') {
			pic_buf_text_add(out, "\r\n");
			column = 0;
			i++;
			continue;
		}
		bool end = i + 1 >= part->size || part->data[i + 1] == '\r';
		bool literal = c >= ' ' && c < 0x7f && c != '=' && !(c == ' ' && end);
		size_t size = literal ? 1 : 3;
		if (column + size > LINE_MAX_BYTES - 1) {
			pic_buf_text_add(out, "=\r\n");
			column = 0;
		}
		if (literal)
			pic_buf_char(out, (char)c);
		else
			pic_buf_format(out, "=%02X", c);
		column += size;
	}
}

static bool is_seven_bit(const struct pic_buf *part)
{
	size_t line = 0;

	for (size_t i = 0; i < part->size; i++) {
		line = part->data[i] == '\n' ? 0 : line + 1;
		if ((unsigned char)part->data[i] >= 0x80 || line > 900)
			return false;
	}
	return true;
}

static void add_part(struct pic_buf *out, const char *boundary, const char *type,
		     const struct pic_buf *part)
{
	const bool plain = is_seven_bit(part);

	pic_buf_format(out,
		       "--%s\r\nContent-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: "
		       "%s\r\n\r\n",
		       boundary, type, plain ? "7bit" : "quoted-printable");
	if (plain)
		pic_buf_add(out, part->data, part->size);
	else
		quote_printable(out, part);
	pic_buf_text_add(out, "\r\n");
}

/* Encoded words (RFC 2047), each whole characters and at most 45 bytes before its base64. */
static void add_encoded(struct pic_buf *out, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		size_t size = left > 45 ? pic_utf8_cut(text, 45) : left;

		pic_buf_text_add(out, "=?utf-8?B?");
		pic_base64_encode(text, size, out);
		pic_buf_text_add(out, left > size ? "?=\r\n " : "?=");
		text += size;
		left -= size;
	}
}

static void add_subject(struct pic_buf *out, const struct pic_object *approval)
{
	const char *reason = word(pic_object_spec(approval), "reason");
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(1024);

	pic_buf_text_add(&text, "Approval wanted: ");
	add_clean(&text, reason ? reason : approval->name, SUBJECT_MAX);
	pic_buf_text_add(out, "Subject: ");
	/* "=?" in plain text would be read as an encoded word */
	if (is_seven_bit(&text) && !strstr(pic_buf_text(&text), "=?"))
		pic_buf_text_add(out, pic_buf_text(&text));
	else
		add_encoded(out, pic_buf_text(&text));
	pic_buf_text_add(out, "\r\n");
}

static void add_date(struct pic_buf *out, int64_t now_ms)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm parts;

	gmtime_r(&seconds, &parts);
	pic_buf_format(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[parts.tm_wday],
		       parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
		       parts.tm_min, parts.tm_sec);
}

static void add_headers(struct pic_buf *out, const struct pic_approval_mail *mail, const char *id,
			const char *boundary)
{
	const char *at = strchr(mail->from, '@');

	pic_buf_format(out, "From: Piccolo <%s>\r\nTo: <%s>\r\n", mail->from, mail->to);
	add_subject(out, mail->approval);
	add_date(out, mail->now_ms);
	pic_buf_format(out,
		       "Message-ID: <approval.%s@%s>\r\nAuto-Submitted: auto-generated\r\n"
		       "MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n "
		       "boundary=\"%s\"\r\n\r\n",
		       id, at ? at + 1 : "localhost", boundary);
}

int pic_approval_mail_write(const struct pic_approval_mail *mail, struct pic_buf *out,
			    struct pic_error *err)
{
	const struct pic_json *spec = pic_object_spec(mail->approval);
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PART_MAX), html = PIC_BUF_INIT(PART_MAX);
	PIC_BUF struct pic_buf link = PIC_BUF_INIT(4096);
	struct rows *rows = calloc(1, sizeof(*rows));
	const char *id = word(spec, "id");
	char boundary[64];

	if (!rows || !id) {
		free(rows);
		return pic_error_set(err, id ? -ENOMEM : -EINVAL,
				     "the mail for approval %s cannot be written",
				     mail->approval->name);
	}
	snprintf(boundary, sizeof(boundary), "=_%.32s", id);
	fill_rows(rows, spec);
	pic_approval_mail_link(mail, &link);
	write_text(mail, rows, pic_buf_text(&link), &text);
	write_html(mail, rows, pic_buf_text(&link), &html);
	rows_free(rows);
	free(rows);
	add_headers(out, mail, id, boundary);
	add_part(out, boundary, "text/plain", &text);
	add_part(out, boundary, "text/html", &html);
	pic_buf_format(out, "--%s--\r\n", boundary);
	if (text.failed || html.failed || link.failed)
		return pic_error_set(err, -ENOBUFS, "the mail for approval %s is too long",
				     mail->approval->name);
	return pic_buf_check(out, "a mail", err);
}
