using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Slipway.Documents.Ledger;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;
using Slipway.Server.Storage;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Server.Ledger;

/// <summary>Appends to the ledger inside the change that it tells of: both are made, or neither.</summary>
internal sealed class LedgerWriter : IDisposable
{
    /// <summary>Largest payload in bytes: room for a judge's report. What is larger is kept elsewhere, and named by its digest.</summary>
    public const int MaxPayload = 1024 * 1024;

    private const int SaltDigits = 32;

    private readonly LedgerKey key;

    private readonly TimeProvider time;

    private LedgerWriter(LedgerKey key, TimeProvider time) => (this.key, this.time) = (key, time);

    /// <summary>Which log this is, and the public key that its checkpoints are checked with.</summary>
    public NoteKey Verifier => key.Verifier;

    /// <summary>Who acts where no person does: a rollout's own transitions, timers, expiry. Holds no grant.</summary>
    public static Caller Server { get; } = new("server", "the server", [], [], []);

    /// <summary>Opens the database's ledger, makes it where there is none yet, and checks that it stands as it was signed.</summary>
    /// <param name="keyFile">The log's private key.</param>
    /// <exception cref="SlipwayException">Another key (exit 2), no key file (exit 3), a ledger that was changed (exit 1).</exception>
    public static async Task<LedgerWriter> OpenAsync(Database database, string keyFile, TimeProvider time, CancellationToken cancellation)
    {
        var key = await LedgerKey.OpenAsync(database, keyFile, cancellation);
        try
        {
            await database.ReadAsync(
                async session =>
                {
                    await LedgerTree.RequireSoundEndAsync(session, await LedgerHead.ReadAsync(session, key.Verifier));
                    return true;
                },
                cancellation);
            return new LedgerWriter(key, time);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    public void Dispose() => key.Dispose();

    /// <summary>Appends an entry, and gives its index. Costs O(log n), a signature made and one checked.</summary>
    /// <exception cref="ApiProblem">The reason is empty (400).</exception>
    /// <exception cref="SlipwayException">The entry is too large (exit 2); the ledger is not as it was signed (exit 1).</exception>
    public async Task<long> AppendAsync(Session session, LedgerAction action)
    {
        var head = await LedgerHead.ReadAsync(session, key.Verifier);
        var lastTime = await AppendAsync(session, head, action);
        await head.SignAsync(session, key, lastTime);
        return head.Tree.Size - 1;
    }

    /// <summary>Records a change that is wholly inside this transaction: its intent and its outcome, one after the other.</summary>
    /// <param name="action">Dotted, such as <c>version.registered</c>.</param>
    /// <param name="reason">Why, in a person's words; must not be empty.</param>
    /// <param name="data">The evidence at that moment; must hold no secret. It can be erased later.</param>
    /// <returns>The index of the outcome; the intent is the one before.</returns>
    /// <exception cref="ApiProblem">The reason is empty (400).</exception>
    /// <exception cref="SlipwayException">The entry is too large (exit 2); the ledger is not as it was signed (exit 1).</exception>
    public async Task<long> RecordAsync(
        Session session, Caller caller, string action, ImmutableArray<LedgerSubject> subjects, string reason, JsonElement? data = null)
    {
        var head = await LedgerHead.ReadAsync(session, key.Verifier);
        var intent = head.Tree.Size;
        var lastTime = await AppendAsync(session, head, new LedgerAction(caller.Id, caller.Name, action, LedgerPhase.Intent, null, subjects, reason, data));
        lastTime = await AppendAsync(session, head with { LastTime = lastTime }, new LedgerAction(caller.Id, caller.Name, action, LedgerPhase.Done, intent, subjects, reason));
        await head.SignAsync(session, key, lastTime);
        return head.Tree.Size - 1;
    }

    /// <returns>The entry's time.</returns>
    private async Task<long> AppendAsync(Session session, LedgerHead head, LedgerAction action)
    {
        Require.SomeReason(action.Reason);
        var salt = RandomNumberGenerator.GetHexString(SaltDigits, lowercase: true);
        var payload = CanonicalJson.Serialize(new LedgerPayload(salt, action.ActorName, action.Reason, action.Data), LedgerJson.Default.LedgerPayload);
        // A clock that was set back must not make an entry seem older than the one before it.
        var entry = new LedgerEntry(
            Math.Max(time.GetUtcNow().ToUnixTimeMilliseconds(), head.LastTime), action.Actor, action.Action, action.Phase, action.Intent, action.Subjects, Digest.Of(payload));
        var leaf = CanonicalJson.Serialize(entry, LedgerJson.Default.LedgerEntry);
        if (leaf.Length > EntryBundle.MaxRecord || payload.Length > MaxPayload)
            throw TooLarge(action, leaf.Length, payload.Length);

        var position = head.Tree.Size;
        await session.ExecuteAsync(
            "INSERT INTO ledger_entries (position, leaf, payload, time, actor, action, intent) VALUES (@position, @leaf, @payload, @Time, @Actor, @Action, @Intent)",
            new { position, leaf, payload = Encoding.UTF8.GetString(payload), entry.Time, entry.Actor, entry.Action, entry.Intent });
        foreach (var (ordinal, subject) in action.Subjects.Index())
        {
            await session.ExecuteAsync(
                "INSERT INTO ledger_subjects (position, ordinal, name, model, digest) VALUES (@position, @ordinal, @Name, @Model, @digest)",
                new { position, ordinal = (long)ordinal, subject.Name, subject.Model, digest = subject.Digest?.ToString() });
        }

        foreach (var (node, hash) in head.Tree.Append(MerkleHash.OfLeaf(leaf)))
        {
            if (node.Level % TilePath.Height == 0)
                await session.ExecuteAsync("INSERT INTO ledger_hashes (level, position, hash) VALUES (@level, @Index, @hash)", new { level = (long)node.Level / TilePath.Height, node.Index, hash = Bytes(hash) });
        }

        return entry.Time;
    }

    private static byte[] Bytes(Digest digest)
    {
        var bytes = new byte[Digest.Length];
        digest.CopyTo(bytes);
        return bytes;
    }

    private static SlipwayException TooLarge(LedgerAction action, int leaf, int payload) =>
        new(ExitCode.UnusableInput, new Fault("ledger-entry-too-large", $"the entry of '{action.Action}' has {leaf} bytes and {payload} beside it, allowed are {EntryBundle.MaxRecord} and {MaxPayload}", Help: "give a shorter reason, or fewer subjects"));
}

/// <summary>What an entry is made of; see <see cref="LedgerEntry"/> and <see cref="LedgerPayload"/>.</summary>
internal sealed record LedgerAction(
    string Actor, string ActorName, string Action, LedgerPhase Phase, long? Intent, ImmutableArray<LedgerSubject> Subjects, string Reason, JsonElement? Data = null);
