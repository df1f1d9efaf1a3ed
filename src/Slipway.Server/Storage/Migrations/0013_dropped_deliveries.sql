-- Dead letters that had to go for lack of room: nobody will ever be told of them, and somebody must know that.
ALTER TABLE webhooks ADD COLUMN dropped BIGINT NOT NULL DEFAULT 0;
