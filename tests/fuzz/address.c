/* Fuzzes addresses, and what is made of them: a path is found in the octets,
 * what was found is found again by itself, and nothing in it can leave its
 * place in a command, an environment or a file name. The first octet of an
 * input is options, the rest the text. */
#include "address.h"
#include "fuzz.h"
#include "listname.h"
#include "mailbox.h"
#include "pattern.h"

/* What holds for any mailbox, however it was found. */
static void
judge(const struct address *address, bool utf8)
{
	struct address again;
	bool ascii = true;

	for (size_t i = 0; i < address->length; i++)
		ascii = ascii && !(address->text[i] & 0x80);
	DEMAND(!fuzz_controls(address->text, address->length, ""));
	DEMAND(address->utf8 == !ascii);
	DEMAND(utf8 || ascii);
	DEMAND(address_parse(address->text, address->length, utf8, &again) ==
	       address->length);
	DEMAND(again.length == address->length &&
	       again.local_length == address->local_length &&
	       again.domain_length == address->domain_length);
	DEMAND(address->local_length > 0);
	if (address->domain_length == 0) {
		DEMAND(address->local_length == address->length);
		return;
	}
	DEMAND(address->domain == address->text + address->local_length + 1);
	DEMAND(address->local_length + 1 + address->domain_length ==
	       address->length);
	DEMAND(address->text[address->local_length] == '@');
	DEMAND(address->domain_length <= ADDRESS_DOMAIN_MAX);
	DEMAND(domain_valid(address->domain, address->domain_length, utf8));
}

/* Outside quotes there is nothing that ends a path, an argument or a list. */
static void
judge_spelling(const struct address *address)
{
	bool literal = address->domain_length > 0 && address->domain[0] == '[';

	if (address->text[0] != '"')
		for (size_t i = 0; i < address->local_length; i++)
			DEMAND(!strchr(" ()<>[]:;@\\,\"", address->text[i]));
	for (size_t i = 0; i < address->domain_length; i++)
		DEMAND(!strchr(literal ? " \\" : " ()<>[]:;@\\,\"/|$`",
		    address->domain[i]));
}

static void
judge_path(const struct mailbox *mailbox, struct path *path)
{
	static const char pattern[] = "/srv/mail/%d/%u/%a/";
	unsigned parts = 0;

	if (!pattern_expand(pattern, strlen(pattern), mailbox, path))
		return;
	DEMAND(strlen(path->text) == path->length);
	DEMAND(path->length < sizeof path->text);
	DEMAND(strncmp(path->text, "/srv/mail/", 10) == 0);
	DEMAND(!strstr(path->text, "/../") && !strstr(path->text, "/./"));
	DEMAND(!strstr(path->text, "//"));
	for (const char *part = path->text + 1; parts < 5; parts++) {
		size_t n = strcspn(part, "/");

		DEMAND(n > 0 && n <= PATTERN_PART_MAX);
		part += n + (part[n] != '\0');
		DEMAND((*part == '\0') == (parts == 4));
	}
}

/* No name leads out of the directory it is looked up in. */
static void
judge_names(const struct address *address, bool fold)
{
	static const char here[] = "here.example";
	static struct mailbox mailbox, again;
	static struct path path;
	struct listname listname = {.text = mailbox.text};
	size_t before = SIZE_MAX;

	if (!mailbox_name(&mailbox, address, here, strlen(here), fold))
		return;
	DEMAND(strlen(mailbox.text) == mailbox.length);
	DEMAND(mailbox.text[0] != '.' && !strchr(mailbox.text, '/'));
	DEMAND(mailbox.text[mailbox.local_length] == '@');
	DEMAND(mailbox.text[mailbox.local_length + 1] != '.');
	DEMAND(!fuzz_controls(mailbox.text, mailbox.length, ""));
	DEMAND(mailbox_name(&again, address, here, strlen(here), fold) &&
	       mailbox_same(&mailbox, &again));
	judge_path(&mailbox, &path);
	listname.length = mailbox.local_length;
	while (listname_next(&listname)) {
		DEMAND(listname.name > 0 && listname.name <= before);
		DEMAND(listname.command);
		before = listname.name;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = fuzz_begin(data, size);
	unsigned options = fuzz_octet(&fuzz);
	bool utf8 = options & 1;
	char *text = fuzz_copy(fuzz.text, fuzz.length);
	struct address address = {0};
	size_t n = address_parse(text, fuzz.length, utf8, &address);

	DEMAND(n <= fuzz.length);
	if (n > 0) {
		DEMAND(address.text == text && address.length == n);
		judge(&address, utf8);
	}
	n = path_parse(text, fuzz.length, utf8, &address);
	DEMAND(n <= fuzz.length);
	if (n > 0 && address.length > 0) {
		DEMAND(address.text >= text &&
		       address.text + address.length <= text + n);
		judge(&address, utf8);
		judge_spelling(&address);
		judge_names(&address, options & 2);
	} else if (n > 0) {
		DEMAND(n == 2 && memcmp(text, "<>", 2) == 0);
	}
	if (domain_valid(text, fuzz.length, utf8))
		DEMAND(!fuzz_controls(text, fuzz.length, ""));
	free(text);
	return 0;
}
