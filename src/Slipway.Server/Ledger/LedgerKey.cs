using System.Security.Cryptography;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Server.Storage;
using Slipway.Trust.Signing;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Server.Ledger;

/// <summary>The log's name and the key that signs its checkpoints. The database says which key it is; the private half is a file of the server's.</summary>
/// <remarks>Several servers of one database have the same file. Signs inside changes alone, which come one after another.</remarks>
internal sealed class LedgerKey : IDisposable
{
    /// <summary>Random bytes in a log's name: two logs never have the same.</summary>
    private const int OriginBytes = 8;

    private readonly SigningKey key;

    private LedgerKey(NoteKey verifier, SigningKey key) => (Verifier, this.key) = (verifier, key);

    /// <summary>Origin and public key: what clients trust.</summary>
    public NoteKey Verifier { get; }

    public string Origin => Verifier.Name;

    /// <summary>Opens the log's key; makes log and key where there is none yet.</summary>
    /// <exception cref="SlipwayException">The log in the database has another key (exit 2), or its key file is not here (exit 3).</exception>
    public static Task<LedgerKey> OpenAsync(Database database, string file, CancellationToken cancellation) =>
        database.ChangeAsync(async session => await FindAsync(session, file) ?? await MakeAsync(session, file), cancellation);

    public byte[] Sign(long size, Digest root) => new Checkpoint(Origin, size, root).Sign(key);

    public void Dispose() => key.Dispose();

    private static async Task<LedgerKey?> FindAsync(Session session, string file)
    {
        if (await session.FindAsync<string>("SELECT verifier FROM ledger_log") is not { } text)
            return null;
        var verifier = NoteKey.Parse(text);
        if (FileStamp.Of(file) is null)
            throw new SlipwayException(ExitCode.NotThere, new Fault("ledger-key-missing", $"the ledger in the database is signed by key {verifier.Key.KeyId[..12]}, and its file is not here", file, Help: "copy ledger.key from the server that made the ledger, or from a backup"));
        var key = SigningKey.Load(file);
        if (key.PublicKey.KeyId == verifier.Key.KeyId)
            return new LedgerKey(verifier, key);
        var other = key.PublicKey.KeyId[..12];
        key.Dispose();
        throw new SlipwayException(ExitCode.UnusableInput, new Fault("ledger-key-differs", $"the ledger in the database is signed by key {verifier.Key.KeyId[..12]}, and this is key {other}", file, Help: "all servers of a database share one ledger.key; copy it from the server that made the ledger"));
    }

    private static async Task<LedgerKey> MakeAsync(Session session, string file)
    {
        if (await session.FindAsync<long?>("SELECT MAX(position) FROM ledger_entries") is not null)
            throw LedgerHead.Damaged("there are entries, and nothing says which log they are of");
        // A first start that was cut off has left a key, and no log: the key is as good as new.
        if (FileStamp.Of(file) is null)
        {
            using var made = SigningKey.Create();
            made.Save(file);
        }

        var key = SigningKey.Load(file);
        var log = new LedgerKey(new NoteKey($"slipway/ledger/{RandomNumberGenerator.GetHexString(2 * OriginBytes, lowercase: true)}", key.PublicKey), key);
        await LedgerHead.MakeAsync(session, log);
        return log;
    }
}
