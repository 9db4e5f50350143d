DO $$ BEGIN
    IF EXISTS (SELECT FROM platform.archives) THEN
        RAISE EXCEPTION 'rows were archived, and the code before this migration would not find them again';
    END IF;
END $$;

DROP TABLE platform.archives;

DROP FUNCTION platform.refuse_change();
