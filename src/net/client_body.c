/* An answer arrives. Returning less than was given ends the request. */
#include "base/clock.h"
#include "base/file.h"
#include "net/client_request.h"

long pic_client_status(const struct pic_request_handle *handle)
{
	long status = 0;

	curl_easy_getinfo(handle->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static void note_activity(struct pic_request_handle *handle)
{
	handle->active_ms = pic_clock_boot_ms();
}

size_t pic_client_on_header(char *line, size_t one, size_t size, void *context)
{
	struct pic_request_handle *handle = context;

	(void)line;
	note_activity(handle);
	handle->heads += one * size;
	handle->endless |= handle->heads > PIC_CLIENT_ASIDE_MAX;
	return handle->endless ? 0 : one * size;
}

/* Only what was asked for leaves by answer_fd or receive; an error page is kept to be shown. */
static bool goes_elsewhere(const struct pic_request_handle *handle, long status)
{
	return (handle->request.receive || handle->request.answer_fd >= 0) &&
	       (status == 200 || status == 206);
}

static bool hand_over(struct pic_request_handle *handle, const char *data, size_t size, long status)
{
	const struct pic_client_request *request = &handle->request;

	if (!request->receive) {
		handle->storing_error = pic_fd_write_all(request->answer_fd, data, size);
		if (handle->storing_error == 0)
			handle->stored += size;
		return handle->storing_error == 0;
	}
	if (!handle->started && request->started)
		request->started(request->data, (int)status);
	handle->started = true;
	if (!handle->cancelled && request->receive(request->data, data, size) != 0)
		handle->ended_by_user = true;
	return !handle->ended_by_user;
}

static bool keep(struct pic_request_handle *handle, const char *data, size_t size)
{
	bool remark = handle->request.receive || handle->request.answer_fd >= 0;
	size_t room = handle->body.maximum - handle->body.size;

	if (remark && size > room) {
		handle->enough = true;
		size = room;
	}
	pic_buf_add(&handle->body, data, size);
	handle->too_large = handle->body.failed && !handle->body.starved;
	return !handle->body.failed && !handle->enough;
}

static bool report_progress(struct pic_request_handle *handle)
{
	curl_off_t expected = -1;

	if (!handle->request.progress || handle->cancelled)
		return true;
	curl_easy_getinfo(handle->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &expected);
	if (handle->request.progress(handle->request.data, (size_t)handle->received, expected) != 0)
		handle->ended_by_user = true;
	return !handle->ended_by_user;
}

size_t pic_client_on_body(char *data, size_t one, size_t size, void *context)
{
	struct pic_request_handle *handle = context;
	size_t bytes = one * size;
	long status = pic_client_status(handle);
	bool good;

	note_activity(handle);
	if (handle->cancelled)
		return bytes == 0;
	handle->received += bytes;
	if (handle->request.answer_max > 0 && handle->received > handle->request.answer_max) {
		handle->too_large = true;
		return bytes == 0;
	}
	good = goes_elsewhere(handle, status) ? hand_over(handle, data, bytes, status)
					      : keep(handle, data, bytes);
	if (!good || handle->cancelled || !report_progress(handle))
		return bytes == 0;
	return bytes;
}

/* The library calls this at every step; a body on its way up is a sign of life too. */
int pic_client_on_progress(void *context, curl_off_t expected, curl_off_t so_far,
			   curl_off_t up_expected, curl_off_t up)
{
	struct pic_request_handle *handle = context;

	(void)expected;
	(void)up_expected;
	/* more than ever came to pic_client_on_body: the library throws the body of a redirect away */
	handle->endless |= so_far > (curl_off_t)handle->received + PIC_CLIENT_ASIDE_MAX;
	if (up != handle->uploaded) {
		handle->uploaded = up;
		note_activity(handle);
	}
	return handle->cancelled || handle->endless;
}
