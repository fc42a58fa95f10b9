#include "agent/store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

#define DOCUMENT "document.json"
#define KEPT "kept.json"
#define NAME_SIZE (2 * PIC_DIGEST_SIZE + 8)

void pic_agent_store_close(struct pic_agent_store *store)
{
	pic_close_fd(&store->folder);
	pic_close_fd(&store->downloads);
	pic_close_fd(&store->artifacts);
}

int pic_agent_store_open(struct pic_agent_store *out, const char *state_folder,
			 struct pic_error *err)
{
	struct pic_agent_store store = { -1, -1, -1 };
	char path[512];
	int r;

	if ((size_t)snprintf(path, sizeof(path), "%s/agent", state_folder) >= sizeof(path))
		return pic_error_set(err, -ENAMETOOLONG,
				     "the path of the state folder is too long");
	r = pic_folder_open(AT_FDCWD, path, false, 0, (uid_t)-1, (gid_t)-1, &store.folder, err);
	if (r == 0)
		r = pic_folder_sweep(store.folder, err);
	if (r == 0)
		r = pic_folder_open(store.folder, "downloads", true, 0700, (uid_t)-1, (gid_t)-1,
				    &store.downloads, err);
	if (r == 0)
		r = pic_folder_open(store.folder, "artifacts", true, 0700, (uid_t)-1, (gid_t)-1,
				    &store.artifacts, err);
	if (r < 0) {
		pic_agent_store_close(&store);
		return r;
	}
	*out = store;
	return 0;
}

/* Absent: 0 and *out stays NULL. */
static int load_document(const struct pic_agent_store *store, const char *name,
			 struct pic_document **out, struct pic_sha256 *digest,
			 struct pic_error *err)
{
	PIC_BUF struct pic_buf bytes = PIC_BUF_INIT(PIC_DOCUMENT_SIZE_MAX);
	int r = pic_file_read(store->folder, name, &bytes, err);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	r = pic_document_parse(out, pic_buf_text(&bytes), bytes.size, err);
	if (r < 0)
		return pic_error_wrap(err, -EBADMSG, "%s on disk is damaged", name);
	if (digest)
		pic_sha256_of(bytes.data, bytes.size, digest);
	return 0;
}

static bool is_named(const struct pic_document *document, const struct pic_workload_name *name)
{
	for (size_t i = 0; i < document->component_count; i++)
		if (pic_workload_name_compare(&document->components[i].name, name) == 0)
			return true;
	for (size_t i = 0; i < document->removed_count; i++)
		if (pic_workload_name_compare(&document->removed[i].name, name) == 0)
			return true;
	return false;
}

/* kept.json is written first; after a crash between the two it may repeat what the document names. */
static void drop_named(struct pic_document *kept, const struct pic_document *document)
{
	size_t left = 0;

	for (size_t i = 0; i < kept->component_count; i++) {
		struct pic_document_component *component = &kept->components[i];

		if (!is_named(document, &component->name)) {
			kept->components[left++] = *component;
			continue;
		}
		free(component->url);
		free(component->dependencies);
		pic_json_unref(component->properties);
	}
	kept->component_count = left;
}

int pic_agent_store_load(const struct pic_agent_store *store, struct pic_document **document,
			 struct pic_sha256 *digest, struct pic_document **kept,
			 struct pic_error *err)
{
	int r;

	*document = NULL;
	*kept = NULL;
	r = load_document(store, KEPT, kept, NULL, err);
	if (load_document(store, DOCUMENT, document, digest, err) < 0)
		return -EBADMSG;
	if (*document && *kept)
		drop_named(*kept, *document);
	return r;
}

int pic_agent_store_save(const struct pic_agent_store *store, const void *bytes, size_t size,
			 const struct pic_document *kept, struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_DOCUMENT_SIZE_MAX);
	int r = 0;

	if (kept) {
		r = pic_document_write(kept, &text);
		if (r < 0)
			return pic_error_set(
				err, r, "what is left over from earlier documents is too much");
		r = pic_file_write(store->folder, KEPT, 0600, text.data, text.size,
				   PIC_FILE_DURABLE, err);
	}
	if (r == 0)
		r = pic_file_write(store->folder, DOCUMENT, 0600, bytes, size, PIC_FILE_DURABLE,
				   err);
	if (r == 0 && !kept)
		r = pic_file_remove(store->folder, KEPT, err);
	return r < 0 ? pic_error_wrap(err, r, "the document cannot be kept") : 0;
}

static void each_in(int folder, bool is_copy,
		    void (*fn)(void *data, const unsigned char digest[PIC_DIGEST_SIZE],
			       bool is_copy),
		    void *data)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);

	for (struct dirent *item; list && (item = readdir(list));) {
		unsigned char digest[PIC_DIGEST_SIZE];

		if (pic_hex_decode(item->d_name, digest, sizeof(digest)) == 0)
			fn(data, digest, is_copy);
	}
	if (list)
		closedir(list);
}

void pic_agent_store_each(const struct pic_agent_store *store,
			  void (*fn)(void *data, const unsigned char digest[PIC_DIGEST_SIZE],
				     bool is_copy),
			  void *data)
{
	each_in(store->artifacts, false, fn, data);
	each_in(store->downloads, true, fn, data);
}

static void name_of(const unsigned char digest[PIC_DIGEST_SIZE], const char *suffix,
		    char out[NAME_SIZE])
{
	pic_hex_encode(digest, PIC_DIGEST_SIZE, out);
	memcpy(out + 2 * PIC_DIGEST_SIZE, suffix, strlen(suffix) + 1);
}

int pic_agent_store_mark(const struct pic_agent_store *store,
			 const unsigned char digest[PIC_DIGEST_SIZE], struct pic_error *err)
{
	char name[NAME_SIZE];
	PIC_FD int fd = -1;

	name_of(digest, "", name);
	/* not to write: one that is there is found on a read-only disk, too */
	fd = openat(store->artifacts, name, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fsync(store->artifacts) < 0)
		return pic_error_errno(err, errno, "artifact %.12s cannot be noted down", name);
	return 0;
}

int pic_agent_store_drop_copy(const struct pic_agent_store *store,
			      const unsigned char digest[PIC_DIGEST_SIZE], struct pic_error *err)
{
	static const char *const suffixes[] = { "", ".part", ".more" };
	char name[NAME_SIZE];

	for (size_t i = 0; i < PIC_COUNT(suffixes); i++) {
		name_of(digest, suffixes[i], name);
		if (unlinkat(store->downloads, name, 0) < 0 && errno != ENOENT)
			return pic_error_errno(err, errno, "download %s cannot be removed", name);
	}
	return 0;
}

int pic_agent_store_forget(const struct pic_agent_store *store,
			   const unsigned char digest[PIC_DIGEST_SIZE], struct pic_error *err)
{
	char name[NAME_SIZE];
	int r = pic_agent_store_drop_copy(store, digest, err);

	if (r < 0)
		return r;
	name_of(digest, "", name);
	if (unlinkat(store->artifacts, name, 0) < 0 && errno != ENOENT)
		return pic_error_errno(err, errno, "the note on artifact %s cannot be removed",
				       name);
	return 0;
}
