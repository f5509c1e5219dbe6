// n8n finds the nodes and credentials through the "n8n" key of package.json; nothing is to be had by requiring this.
module.exports = {};
