using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Cli;

/// <summary>What a server's ledger was when it was last checked: a file a server in <c>ledgers/</c> beside the logins. This is what tells that a log was rewritten.</summary>
/// <param name="Key">The log's verifier key.</param>
/// <param name="Checkpoint">The signed note; null when only the key is known.</param>
internal sealed record RememberedLedger(string Key, string? Checkpoint)
{
    private static readonly string folder = Path.Combine(Path.GetDirectoryName(ServerLogins.File)!, "ledgers");

    /// <summary>What is remembered of a server; null when its ledger was never checked from here.</summary>
    /// <exception cref="SlipwayException">The file is not readable as what it should be (exit 2): it is not passed over.</exception>
    public static RememberedLedger? Of(Uri server) => Read(FileOf(server));

    /// <summary>The key of a log by its name, from any server.</summary>
    public static NoteKey? KeyOf(string origin) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.json").Select(file => Read(file)?.NoteKey).FirstOrDefault(key => key?.Name == origin) : null;

    [JsonIgnore]
    public NoteKey NoteKey => NoteKey.Parse(Key);

    public void Save(Uri server) => AtomicFile.Write(FileOf(server), CanonicalJson.Serialize(this, RememberedLedgerJson.Default.RememberedLedger));

    public static string FileOf(Uri server) =>
        Path.Combine(folder, string.Concat(server.GetLeftPart(UriPartial.Authority).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' ? c : '_')) + ".json");

    private static RememberedLedger? Read(string file)
    {
        if (FileStamp.Of(file) is null)
            return null;
        try
        {
            var remembered = JsonSerializer.Deserialize(File.ReadAllBytes(file), RememberedLedgerJson.Default.RememberedLedger);
            _ = remembered?.NoteKey;
            return remembered ?? throw new JsonException("null");
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("ledger-memory-unreadable", $"is not what was remembered of a ledger: {e.Message}", file, Help: "delete it, and compare the ledger's key with its server's when it is checked next"));
        }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RememberedLedger))]
internal sealed partial class RememberedLedgerJson : JsonSerializerContext;
