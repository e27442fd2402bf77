#include "redirect.h"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The relocations that put the address of a function, and nothing added to it, into a slot. */
#if defined(__x86_64__)
static bool is_address(uint64_t type)
{
    return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT || type == R_X86_64_64;
}
#elif defined(__aarch64__)
static bool is_address(uint64_t type)
{
    return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT || type == R_AARCH64_ABS64;
}
#else
#error "say which relocations of this processor hold the address of a function"
#endif

typedef struct search {
    const char *object;
    const redirect_function *functions;
    size_t count;
    redirect_range range;
    bool found;
} search;

/* The tables of an object that say which of its slots hold which symbol. */
typedef struct tables {
    const char *names;
    const ElfW(Sym) * symbols;
    const ElfW(Rela) * slots[2]; /* of calls, and of data */
    size_t sizes[2];             /* bytes */
} tables;

static tables read_tables(const ElfW(Dyn) * entry)
{
    tables t = {0};
    for (; entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_STRTAB)
            t.names = (const char *)entry->d_un.d_ptr;
        else if (entry->d_tag == DT_SYMTAB)
            t.symbols = (const ElfW(Sym) *)entry->d_un.d_ptr;
        else if (entry->d_tag == DT_JMPREL)
            t.slots[0] = (const ElfW(Rela) *)entry->d_un.d_ptr;
        else if (entry->d_tag == DT_PLTRELSZ)
            t.sizes[0] = entry->d_un.d_val;
        else if (entry->d_tag == DT_RELA)
            t.slots[1] = (const ElfW(Rela) *)entry->d_un.d_ptr;
        else if (entry->d_tag == DT_RELASZ)
            t.sizes[1] = entry->d_un.d_val;
    }
    return t;
}

/* The page may have been made read-only after relocation, and stays writable afterwards. */
static void write_slot(uintptr_t slot, uintptr_t target)
{
    uintptr_t page = slot & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
    if (mprotect((void *)page, slot + sizeof(target) - page, PROT_READ | PROT_WRITE) == 0)
        *(uintptr_t *)slot = target;
}

static void redirect_slots(const search *wanted, uintptr_t base, const tables *t, size_t which)
{
    for (size_t i = 0; i < t->sizes[which] / sizeof(ElfW(Rela)); i++) {
        const ElfW(Rela) *slot = &t->slots[which][i];
        if (!is_address(ELF64_R_TYPE(slot->r_info)) || slot->r_addend != 0)
            continue;
        const char *name = t->names + t->symbols[ELF64_R_SYM(slot->r_info)].st_name;
        for (size_t f = 0; f < wanted->count; f++)
            if (strcmp(name, wanted->functions[f].name) == 0)
                write_slot(base + slot->r_offset, wanted->functions[f].target);
    }
}

static bool is_wanted(const search *wanted, const char *path)
{
    if (wanted->object[0] == '\0')
        return path[0] == '\0';
    const char *slash = strrchr(path, '/');
    return strncmp(slash == NULL ? path : slash + 1, wanted->object, strlen(wanted->object)) == 0;
}

static int visit(struct dl_phdr_info *info, size_t size, void *ctx)
{
    (void)size;
    search *wanted = ctx;
    if (wanted->found || !is_wanted(wanted, info->dlpi_name))
        return 0;
    wanted->found = true;
    wanted->range = (redirect_range){.start = UINTPTR_MAX};
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + part->p_vaddr;
        if (part->p_type == PT_LOAD && start < wanted->range.start)
            wanted->range.start = start;
        if (part->p_type == PT_LOAD && start + part->p_memsz > wanted->range.end)
            wanted->range.end = start + part->p_memsz;
        if (part->p_type != PT_DYNAMIC)
            continue;
        tables t = read_tables((const ElfW(Dyn) *)start);
        redirect_slots(wanted, info->dlpi_addr, &t, 0);
        redirect_slots(wanted, info->dlpi_addr, &t, 1);
    }
    return 1;
}

bool redirect_calls(const char *object, const redirect_function *functions, size_t count, redirect_range *ret)
{
    search wanted = {.object = object, .functions = functions, .count = count};
    (void)dl_iterate_phdr(visit, &wanted);
    if (wanted.found)
        *ret = wanted.range;
    return wanted.found;
}
