/*
 * In place of zlib, for libbpf and libelf: 94 KB of code that a loader of objects never needs, and must not
 * need, since compressed sections of a stranger's file are refused. Inflating and deflating fail cleanly. A
 * kernel's configuration (kconfig externs) is read where it lies as plain text.
 */
#include <stdio.h>
#include <zlib.h>

int inflateInit_(z_streamp stream, const char *version, int size)
{
	(void)stream;
	(void)version;
	(void)size;
	return Z_MEM_ERROR;
}

int inflate(z_streamp stream, int flush)
{
	(void)stream;
	(void)flush;
	return Z_STREAM_ERROR;
}

int inflateReset(z_streamp stream)
{
	(void)stream;
	return Z_STREAM_ERROR;
}

int inflateEnd(z_streamp stream)
{
	(void)stream;
	return Z_STREAM_ERROR;
}

int deflateInit_(z_streamp stream, int level, const char *version, int size)
{
	(void)stream;
	(void)level;
	(void)version;
	(void)size;
	return Z_MEM_ERROR;
}

int deflate(z_streamp stream, int flush)
{
	(void)stream;
	(void)flush;
	return Z_STREAM_ERROR;
}

int deflateEnd(z_streamp stream)
{
	(void)stream;
	return Z_STREAM_ERROR;
}

/* With 64-bit file offsets, zlib.h has another name for it where a pointer has 32 bits, and libbpf's build everywhere. */
#undef gzopen
gzFile gzopen(const char *path, const char *mode);
gzFile gzopen64(const char *path, const char *mode);

/* Plain text only: what is compressed shows no line that anybody understands. */
gzFile gzopen(const char *path, const char *mode)
{
	return (gzFile)fopen(path, mode);
}

gzFile gzopen64(const char *path, const char *mode)
{
	return gzopen(path, mode);
}

char *gzgets(gzFile file, char *line, int size)
{
	return fgets(line, size, (FILE *)file);
}

int gzclose(gzFile file)
{
	return fclose((FILE *)file) == 0 ? Z_OK : Z_ERRNO;
}
