using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Primitives.Processes;

namespace Slipway.Trust.Signing;

/// <summary>A program that signs where the key is: in a key management service, or on a token.</summary>
/// <param name="command">For <c>/bin/sh -c</c>. On standard input are the 32 bytes of the digest, and <c>$SLIPWAY_DIGEST</c> is the same in hex; on standard output is the DER signature.</param>
/// <param name="workingDirectory">Where it runs.</param>
/// <param name="environment">What the program sees; the variables that hold keys and passphrases of our own are taken out.</param>
/// <remarks>What it answers counts only when it verifies under the public key: a wrong answer is a fault, never a signature.</remarks>
public sealed class SignCommand(string command, VerificationKey publicKey, string workingDirectory, IReadOnlyDictionary<string, string> environment) : ISigner
{
    /// <summary>A private key in PEM, for where no file can be kept.</summary>
    public const string KeyVariable = "SLIPWAY_SIGNING_KEY";

    public const string PassphraseVariable = "SLIPWAY_KEY_PASSPHRASE";

    /// <summary>A person may have to touch a token; after that the program is ended.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>How often what it has written is looked at.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    /// <summary>Bytes of standard output and of standard error: a signature has 72, a message fits; what writes more is ended.</summary>
    private const int MostOutput = 64 * 1024;

    /// <summary>Characters of its own message that a fault repeats.</summary>
    private const int MostTold = 500;

    private static readonly ImmutableHashSet<string> Secrets = [KeyVariable, PassphraseVariable];

    public VerificationKey PublicKey { get; } = publicKey;

    public byte[] Sign(ReadOnlySpan<byte> data)
    {
        var digest = SHA256.HashData(data);
        var folder = Directory.CreateTempSubdirectory("slipway-sign-").FullName;
        try
        {
            var signature = Run(digest, folder);
            return PublicKey.Verify(data, signature)
                ? signature
                : throw Failure("sign-command-signature", $"what it answered ({signature.Length} bytes) is no signature of this digest by key {PublicKey.KeyId[..12]}", "it must sign the digest as it is, not hash it again, with the key of --public-key, and answer ASN.1 DER");
        }
        catch (Exception e) when (AtomicFile.Explain(e, folder) is { } explained)
        {
            throw explained;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private byte[] Run(byte[] digest, string folder)
    {
        var (input, output, errors) = (Path.Combine(folder, "digest"), Path.Combine(folder, "signature"), Path.Combine(folder, "errors"));
        File.WriteAllBytes(input, digest);
        var variables = environment.Where(variable => !Secrets.Contains(variable.Key)).ToDictionary(StringComparer.Ordinal);
        variables["SLIPWAY_DIGEST"] = Convert.ToHexStringLower(digest);
        var child = ChildProcess.Start(new ChildCommand(["/bin/sh", "-c", command], workingDirectory, variables, output, errors, input));
        var clock = Stopwatch.StartNew();
        var isTooLong = false;
        while (!child.Exited.Wait(LookEvery))
        {
            isTooLong = SizeOf(output) > MostOutput || SizeOf(errors) > MostOutput;
            if (!isTooLong && clock.Elapsed < Patience)
                continue;
            child.Kill();
            child.Exited.Wait();
            throw isTooLong
                ? Failure("sign-command-output", $"it wrote more than {MostOutput} bytes", "it must answer the signature alone")
                : Failure("sign-command-timeout", $"it did not answer within {Patience.TotalSeconds} seconds", "run it by hand: it must not wait for somebody to type");
        }

        if (SizeOf(output) > MostOutput)
            throw Failure("sign-command-output", $"it wrote more than {MostOutput} bytes", "it must answer the signature alone");
        var exit = child.Exited.GetAwaiter().GetResult();
        return exit.Succeeded ? File.ReadAllBytes(output) : throw Failure("sign-command-failed", $"it {exit}{Told(errors)}", "run it by hand, with the digest's 32 bytes on standard input");
    }

    private static long SizeOf(string file) => FileStamp.Of(file)?.Size ?? 0;

    /// <summary>What it said itself, shortened and printable.</summary>
    private static string Told(string file)
    {
        var bytes = new byte[(int)Math.Min(SizeOf(file), MostTold)];
        using (var errors = File.OpenRead(file))
            errors.ReadExactly(bytes);
        var text = new string([.. Encoding.UTF8.GetString(bytes).Trim().Select(c => char.IsControl(c) ? ' ' : c)]);
        return text.Length == 0 ? "" : ": " + text;
    }

    private static SlipwayException Failure(string code, string message, string help) => new(ExitCode.NotThere, new Fault(code, "the sign command: " + message, Help: help));
}
