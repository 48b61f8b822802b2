// Asks getaddrinfo(3) for each name given, for what the C library sends to DNS.
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
	for (int i = 1; i < argc; i++) {
		struct addrinfo *found, hints = {.ai_socktype = SOCK_STREAM};
		int err = getaddrinfo(argv[i], NULL, &hints, &found);
		if (err) {
			fprintf(stderr, "%s: %s\n", argv[i], gai_strerror(err));
			return 2;
		}
		for (struct addrinfo *a = found; a; a = a->ai_next) {
			char text[64];
			if (!getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST))
				printf("%s %s\n", text, argv[i]);
		}
		freeaddrinfo(found);
	}
	return 0;
}
