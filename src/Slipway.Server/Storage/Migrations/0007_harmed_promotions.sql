-- Why a promotion holds no longer: its release did harm. Whoever approves must know of it, so the version is promoted anew.
ALTER TABLE promotions ADD COLUMN harm TEXT;
