/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/zip_entry.h"
#include "trainvet/text.h"

enum {
    END_SIZE = 22,
    CENTRAL_SIZE = 46,
    LOCAL_SIZE = 30,
    COMMENT_MAX = 65535,
    END_MAGIC = 0x06054b50,
    CENTRAL_MAGIC = 0x02014b50,
    LOCAL_MAGIC = 0x04034b50
};

static uint32_t u16(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return b[0] | (uint32_t)b[1] << 8;
}

static uint32_t u32(const char *p)
{
    return u16(p) | u16(p + 2) << 16;
}

/* `size` bytes at `offset`, NULL when they lie outside. */
static const char *at(struct tv_span zip, uint64_t offset, uint64_t size)
{
    return offset <= zip.len && size <= zip.len - offset ? zip.data + offset : NULL;
}

static const char *find_end(struct tv_span zip)
{
    for (size_t back = END_SIZE; back <= zip.len && back <= END_SIZE + COMMENT_MAX; back++)
        if (u32(zip.data + zip.len - back) == END_MAGIC)
            return zip.data + zip.len - back;
    return NULL;
}

static enum tv_status entry_bytes(struct tv_span zip, const char *central, struct tv_span *ret,
                                  struct tv_error *reterr)
{
    if (u16(central + 10) != 0)
        return tv_fail(reterr, TV_EUNSUPPORTED, "its data.pkl is compressed");
    uint64_t offset = u32(central + 42), size = u32(central + 20);
    const char *local = at(zip, offset, LOCAL_SIZE);
    if (!local || u32(local) != LOCAL_MAGIC)
        return tv_fail(reterr, TV_ECORRUPT, "the zip archive's directory is damaged");
    offset += LOCAL_SIZE + u16(local + 26) + u16(local + 28);
    ret->data = at(zip, offset, size);
    ret->len = size;
    return ret->data ? TV_OK : tv_fail(reterr, TV_ECORRUPT, "the zip archive is cut short");
}

enum tv_status tv_zip_stored(struct tv_span zip, const char *suffix, struct tv_span *ret,
                             struct tv_error *reterr)
{
    const char *end = find_end(zip);
    if (!end)
        return tv_fail(reterr, TV_ECORRUPT, "not a zip archive, or cut short");
    uint64_t offset = u32(end + 16);
    for (uint32_t left = u16(end + 10); left > 0; left--) {
        const char *central = at(zip, offset, CENTRAL_SIZE);
        if (!central || u32(central) != CENTRAL_MAGIC)
            return tv_fail(reterr, TV_ECORRUPT, "the zip archive's directory is damaged");
        uint32_t name_len = u16(central + 28);
        const char *name = at(zip, offset + CENTRAL_SIZE, name_len);
        if (name && tv_span_ends((struct tv_span){name, name_len}, suffix))
            return entry_bytes(zip, central, ret, reterr);
        offset += CENTRAL_SIZE + name_len + u16(central + 30) + u16(central + 32);
    }
    return tv_fail(reterr, TV_EUNSUPPORTED, "the zip archive has no %s", suffix);
}
