using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Trust.Verification;

/// <summary>A ledger's entry, proven by a key of the policy's: what digests it names existed at its time.</summary>
/// <param name="Ledger">The log's name.</param>
/// <param name="Time">By the ledger's clock, which nobody else can set back: entries before it are in the same tree.</param>
public sealed record LedgerEvidence(string Ledger, long Index, DateTimeOffset Time, ImmutableArray<Digest> Subjects)
{
    /// <summary>The last that a date can be: the end of the year 9999.</summary>
    private const long LastMillisecond = 253_402_300_799_999;

    private const string ProveAgain = "write it with `slipway audit prove INDEX`; of a push that is the entry version.registered or version.pushed-again";

    /// <param name="proof">A <c>c2sp.org/tlog-proof@v1</c> whose extra line holds the entry, as docs/format/ledger.md says.</param>
    /// <param name="file">What a message calls it.</param>
    /// <exception cref="SlipwayException">No such proof (exit 2); one that proves nothing to who trusts these keys (exit 1).</exception>
    public static LedgerEvidence Open(ReadOnlySpan<byte> proof, IReadOnlyCollection<NoteKey> ledgers, string file)
    {
        if (TlogProof.Read(proof) is not { Extra: { } extra } read || SignedNote.Read(read.Checkpoint.AsSpan()) is not { } note || Checkpoint.ReadUnverified(note) is not { Origin: var origin })
            throw Bad(ExitCode.UnusableInput, "ledger-proof-malformed", "it is no proof of a ledger's entry with the entry in it", ProveAgain);
        if (Entry(extra.AsSpan()) is not { } entry)
            throw Bad(ExitCode.UnusableInput, "ledger-proof-malformed", "what it proves is no entry of a ledger", ProveAgain);
        var keys = ledgers.Where(key => key.Name == origin).ToList();
        if (keys.Count == 0)
            throw Bad(ExitCode.BadVerdict, "ledger-proof-untrusted", $"it is of the ledger {ForeignText.Shown(origin)}, which the policy does not name", "add the ledger's verifier key to the policy's ledgers, after comparing it with what the operator says");
        return read.Verify(entry.Leaf, origin, keys, out _) switch
        {
            TlogProof.Verdict.Included => new LedgerEvidence(origin, read.Index, entry.Time, entry.Subjects),
            TlogProof.Verdict.CheckpointNotTrusted => throw Bad(ExitCode.BadVerdict, "ledger-proof-untrusted", $"its checkpoint is not signed by the key that the policy names for {origin}", "compare the ledger's verifier key with what the operator says"),
            _ => throw Bad(ExitCode.BadVerdict, "ledger-proof-fails", "the entry that it shows is not in the ledger at that place", ProveAgain),
        };

        SlipwayException Bad(ExitCode exit, string code, string message, string help) => new(exit, new Fault(code, message, file, Help: help));
    }

    private static (byte[] Leaf, DateTimeOffset Time, ImmutableArray<Digest> Subjects)? Entry(ReadOnlySpan<byte> record)
    {
        try
        {
            using var document = JsonDocument.Parse(record.ToArray(), new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 64 });
            if (document.RootElement is not { ValueKind: JsonValueKind.Object } root || !root.TryGetProperty("entry", out var entry) || entry.ValueKind != JsonValueKind.Object
                || !entry.TryGetProperty("time", out var time) || time.ValueKind != JsonValueKind.Number || !time.TryGetInt64(out var milliseconds) || milliseconds is < 0 or > LastMillisecond
                || !entry.TryGetProperty("subjects", out var subjects) || subjects.ValueKind != JsonValueKind.Array)
                return null;
            var digests = ImmutableArray.CreateBuilder<Digest>();
            foreach (var subject in subjects.EnumerateArray())
            {
                if (subject.ValueKind == JsonValueKind.Object && subject.TryGetProperty("digest", out var text) && text.ValueKind == JsonValueKind.String && Digest.TryParse(text.GetString(), out var digest))
                    digests.Add(digest);
            }

            return (CanonicalJson.Write(entry), DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), digests.ToImmutable());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;        // InvalidOperationException: a string that is no text, such as a lone surrogate
        }
    }
}
