/* SPDX-License-Identifier: MIT */
/*
 * Intrusive doubly linked list
 *
 * A ring that includes the head. A link that is zeroed or was removed is in no list; removing it
 * again does nothing. A typed function beside each struct finds the member from its link;
 * LIST_OWNER is for writing those.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

struct list {
        struct list *next, *prev;
};

#define LIST_OWNER(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void list_init(struct list *head)
{
        head->next = head->prev = head;
}

static inline bool list_is_empty(const struct list *head)
{
        return head->next == head;
}

/* Is this link in a list? */
static inline bool list_is_linked(const struct list *link)
{
        return link->next != NULL;
}

static inline void list_insert(struct list *link, struct list *prev, struct list *next)
{
        assert(!list_is_linked(link));
        assert(prev->next == next && next->prev == prev);
        link->prev = prev;
        link->next = next;
        prev->next = link;
        next->prev = link;
}

static inline void list_push_back(struct list *head, struct list *link)
{
        list_insert(link, head->prev, head);
}

static inline void list_push_front(struct list *head, struct list *link)
{
        list_insert(link, head, head->next);
}

static inline void list_remove(struct list *link)
{
        if (!link->next)
                return;
        link->prev->next = link->next;
        link->next->prev = link->prev;
        link->next = link->prev = NULL;
}

/* The first or last link; NULL if the list is empty. */
static inline struct list *list_first(const struct list *head)
{
        return list_is_empty(head) ? NULL : head->next;
}

static inline struct list *list_last(const struct list *head)
{
        return list_is_empty(head) ? NULL : head->prev;
}

/* Remove the first link and return it; NULL if the list is empty. */
static inline struct list *list_pop(struct list *head)
{
        struct list *link = list_first(head);

        if (link)
                list_remove(link);
        return link;
}

/* Move all members of `from` to the end of `to`. */
static inline void list_splice(struct list *to, struct list *from)
{
        assert(to != from);
        if (list_is_empty(from))
                return;
        from->next->prev = to->prev;
        to->prev->next = from->next;
        from->prev->next = to;
        to->prev = from->prev;
        list_init(from);
}

#endif
