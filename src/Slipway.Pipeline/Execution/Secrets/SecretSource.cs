using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Primitives.Processes;

namespace Slipway.Pipeline.Execution.Secrets;

/// <summary>Where the values of secrets come from, looked at in this order: a variable, a file of a folder, a command.</summary>
/// <remarks>Not a record: nothing prints a value by accident.</remarks>
public sealed class SecretSource
{
    /// <summary>The variable that names the folder.</summary>
    public const string FolderVariable = "SLIPWAY_SECRETS";

    /// <summary>The variable that names the command, where no option does.</summary>
    public const string CommandVariable = "SLIPWAY_SECRET_COMMAND";

    /// <summary>Bytes of a value: a private key in PEM has some thousand.</summary>
    internal const int MostBytes = 64 * 1024;

    /// <summary>Bytes of a value: a shorter one is found by chance in files that do not hold it, and cannot be told from any other word in a log.</summary>
    internal const int FewestBytes = 6;

    /// <summary>A person may have to touch a token; after that the command is ended.</summary>
    private static readonly TimeSpan patience = TimeSpan.FromSeconds(60);

    /// <summary>How often what it has written is looked at.</summary>
    private static readonly TimeSpan lookEvery = TimeSpan.FromMilliseconds(20);

    /// <summary>Finds nothing.</summary>
    public static SecretSource None { get; } = new();

    /// <summary>The caller's variables.</summary>
    public ImmutableDictionary<string, string> Environment { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>A folder with a file per secret, named like it; null for none.</summary>
    public string? Folder { get; init; }

    /// <summary>For <c>/bin/sh -c</c>, the secret's name following as its last argument; what it writes is the value. Null for none.</summary>
    public string? Command { get; init; }

    /// <summary>Of the caller's variables, those that the command does not see: the keys of our own.</summary>
    public ImmutableHashSet<string> Withheld { get; init; } = [];

    /// <summary>The value by its name.</summary>
    /// <returns>Null when it is nowhere.</returns>
    /// <exception cref="SlipwayException">It is empty, too long or too short to be found where it does not belong; a file cannot be read; the command failed (exit 3).</exception>
    internal string? Find(string name)
    {
        if (!SecretName.IsOne(name))
            throw new UnreachableException($"a secret is called '{name}'");
        if (Environment.TryGetValue(name, out var variable) && variable.Length > 0)
            return Checked(name, Encoding.UTF8.GetBytes(variable), "the variable " + name);
        if (Folder is { } folder && File.Exists(Path.Combine(folder, name)))
            return Checked(name, Read(Path.Combine(folder, name)), $"the file {name} of ${FolderVariable}");
        return Command is { } command ? Checked(name, Ask(command, name), "what the secret command answered") : null;
    }

    /// <summary>Where it was looked for, for the message that it is missing.</summary>
    internal string Looked(string name) =>
        $"there is no variable {name}, {(Folder is null ? $"${FolderVariable} is not set" : $"no file {name} in ${FolderVariable}")}, and no secret command is given";

    private static string Checked(string name, byte[] bytes, string where)
    {
        var text = Encoding.UTF8.GetString(bytes);
        // The line end that editors and commands put there.
        text = text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
        var size = Encoding.UTF8.GetByteCount(text);
        if (size is < FewestBytes or > MostBytes)
            throw Failure("bad-secret", $"the secret {name} has {size} bytes in {where}, allowed {FewestBytes} to {MostBytes}", "a shorter one cannot be told from other words, so that it could not be kept out of logs and outputs");
        return !text.Contains('\0') && !text.Contains('\uFFFD')
            ? text
            : throw Failure("bad-secret", $"the secret {name} is no text in {where}: it has a zero byte, or is not UTF-8", "a stage gets it as a variable: encode it, for example by base64");
    }

    private static byte[] Read(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[MostBytes + 3];
            return bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failure("bad-secret", $"a secret cannot be read from {path}: {e.Message}", "give the file to the user who runs this");
        }
    }

    private byte[] Ask(string command, string name)
    {
        // In memory where that can be had: a value is not to be left on a disk.
        var parent = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        var folder = AtomicFile.TemporaryBeside(Path.Combine(parent, "slipway-secret"));
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        try
        {
            var output = Path.Combine(folder, "value");
            var variables = Environment.Where(variable => !Withheld.Contains(variable.Key)).ToDictionary(StringComparer.Ordinal);
            var child = ChildProcess.Start(new ChildCommand(["/bin/sh", "-c", command + " \"$@\"", "sh", name], folder, variables, output));
            var clock = Stopwatch.StartNew();
            while (!child.Exited.Wait(lookEvery))
            {
                if (SizeOf(output) <= MostBytes + 2 && clock.Elapsed < patience)
                    continue;
                child.Kill();
                child.Exited.Wait();
                throw clock.Elapsed < patience
                    ? Failure("secret-command", $"the secret command wrote more than {MostBytes} bytes for {name}", "it must answer the value alone")
                    : Failure("secret-command", $"the secret command did not answer for {name} within {patience.TotalSeconds} seconds", "run it by hand: it must not wait for somebody to type");
            }

            // What it wrote may be a part of the value, and is not repeated.
            var exit = child.Exited.GetAwaiter().GetResult();
            return exit.Succeeded ? Read(output) : throw Failure("secret-command", $"the secret command {exit} for {name}", $"run it by hand, with {name} as its last argument");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static long SizeOf(string file) => FileStamp.Of(file)?.Size ?? 0;

    private static SlipwayException Failure(string code, string message, string help) => new(ExitCode.NotThere, new Fault(code, message, Help: help));
}
