using System.Security.Cryptography;
using System.Text;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Server.Storage;

namespace Slipway.Server.Webhooks;

/// <summary>The server's own key, of which every webhook's secret is derived: the database and its backups hold no secret.</summary>
internal sealed class WebhookKey
{
    /// <summary>Bytes of the key, and of each secret.</summary>
    private const int Length = 32;

    private readonly byte[] key;

    private WebhookKey(byte[] key) => this.key = key;

    /// <summary>Which key this is, 16 hex digits; tells nothing of the key.</summary>
    public string Id => Convert.ToHexStringLower(Derive("slipway webhooks: which key").AsSpan(0, 8));

    /// <summary>Reads the key's file, and makes it where there is none.</summary>
    /// <exception cref="SlipwayException">It is no such key (exit 2); it cannot be read or written (exit 3).</exception>
    public static Task<WebhookKey> OpenAsync(Database database, string file, CancellationToken cancellation) =>
        // Servers that share a database share the folder: changes come one after another, so that one of them makes it.
        database.ChangeAsync(
            session =>
            {
                if (!File.Exists(file))
                    AtomicFile.WriteSecret(file, RandomNumberGenerator.GetBytes(Length));
                return Task.FromResult(Read(file));
            },
            cancellation);

    /// <param name="id">The webhook's, given anew whenever one is added: a name that is used again has another secret.</param>
    public byte[] SecretOf(string id) => Derive($"slipway webhook {id}");

    private byte[] Derive(string what) => HKDF.DeriveKey(HashAlgorithmName.SHA256, key, Length, info: Encoding.UTF8.GetBytes(what));

    private static WebhookKey Read(string file)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault("webhook-key-unreadable", $"{file} cannot be read: {e.Message}", file), e);
        }

        return bytes.Length == Length ? new(bytes)
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-webhook-key", $"{file} has {bytes.Length} bytes, and the key of webhooks has {Length}", file, Help: "put the right one back, or move it away: then a new one is made, and every webhook is to be added again"));
    }
}
