// npm's smtp-server, which drops what it gets: node node_smtp.js PORT
const { SMTPServer } = require('smtp-server');

new SMTPServer({
	authOptional: true,
	disabledCommands: ['AUTH', 'STARTTLS'],
	disableReverseLookup: true,
	onData(stream, session, done) {
		stream.resume().on('end', done);
	},
}).listen(Number(process.argv[2]), '127.0.0.1');
