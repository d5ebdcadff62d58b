/* SPDX-License-Identifier: MIT */
#include "image.h"

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#endif

struct bytes {
        const char *at;
        size_t n;
};

/* --- ELF ------------------------------------------------------------------------------------- */

static bool has_our_machine(const Elf64_Ehdr *file)
{
#ifdef OUR_MACHINE
        return file->e_ident[EI_CLASS] == ELFCLASS64 && file->e_machine == OUR_MACHINE;
#else
        (void)file;
        return true; /* nothing speaks against it */
#endif
}

/* The i-th program header; false: there is none within what was read. */
static bool segment(const struct bytes *head, const Elf64_Ehdr *file, unsigned i,
        Elf64_Phdr *ret_segment)
{
        size_t skip = (size_t)i * sizeof(*ret_segment);

        if (i >= file->e_phnum || file->e_phoff > head->n || head->n - file->e_phoff < skip ||
                head->n - file->e_phoff - skip < sizeof(*ret_segment))
                return false;
        memcpy(ret_segment, head->at + file->e_phoff + skip, sizeof(*ret_segment));
        return true;
}

static bool begins(const struct bytes *text, const char *with)
{
        size_t n = strlen(with);

        return text->n >= n && memcmp(text->at, with, n) == 0;
}

/* The program's loader is the one of the C library that the shim is made for. */
static bool is_our_loader(const struct bytes *head, const Elf64_Phdr *interpreter)
{
        struct bytes name = { "", 0 };

        if (interpreter->p_offset < head->n) {
                name.at = head->at + interpreter->p_offset;
                name.n = strnlen(name.at, head->n - interpreter->p_offset);
        }
        for (size_t i = name.n; i-- > 0;)
                if (name.at[i] == '/') {
                        name = (struct bytes){ name.at + i + 1, name.n - i - 1 };
                        return begins(&name, "ld-linux") || begins(&name, "ld64.so");
                }
        return true; /* where it is is not within what was read */
}

/* Go's linker leaves a note of its own, which begins with the length of its name. */
static bool is_note_of_go(const struct bytes *head, const Elf64_Phdr *notes)
{
        Elf64_Nhdr note;

        if (notes->p_offset > head->n || head->n - notes->p_offset < sizeof(note) + 4)
                return false;
        memcpy(&note, head->at + notes->p_offset, sizeof(note));
        return note.n_namesz == 4 &&
               memcmp(head->at + notes->p_offset + sizeof(note), "Go\0", 4) == 0;
}

enum image_kind image_kind(const void *head, size_t n)
{
        struct bytes bytes = { head, n };
        enum image_kind kind = IMAGE_STATIC;
        Elf64_Ehdr file;
        Elf64_Phdr one;

        if (n < sizeof(file) || memcmp(head, ELFMAG, SELFMAG) != 0)
                return IMAGE_OTHER;
        memcpy(&file, head, sizeof(file));
        if (!has_our_machine(&file))
                return IMAGE_FOREIGN;
        for (unsigned i = 0; segment(&bytes, &file, i, &one); i++) {
                if (one.p_type == PT_NOTE && is_note_of_go(&bytes, &one))
                        return IMAGE_GO;
                if (one.p_type == PT_INTERP)
                        kind = is_our_loader(&bytes, &one) ? IMAGE_DYNAMIC : IMAGE_FOREIGN;
        }
        return kind;
}

/* --- scripts --------------------------------------------------------------------------------- */

char *image_word(char **rest)
{
        char *word = *rest + strspn(*rest, " \t");
        size_t len = strcspn(word, " \t");

        *rest = word + len + (word[len] != '\0');
        word[len] = '\0';
        return word;
}

char *image_interpreter(const void *head, size_t n, char line[IMAGE_LINE_MAX], char **ret_rest)
{
        size_t len = n < IMAGE_LINE_MAX ? n : IMAGE_LINE_MAX;
        char *word;

        if (n < 3 || memcmp(head, "#!", 2) != 0)
                return NULL;
        len -= 2;
        len = len < IMAGE_LINE_MAX - 1 ? len : IMAGE_LINE_MAX - 1;
        memcpy(line, (const char *)head + 2, len);
        line[len] = '\0';
        line[strcspn(line, "\r\n")] = '\0';
        *ret_rest = line;
        word = image_word(ret_rest);
        return *word ? word : NULL;
}
