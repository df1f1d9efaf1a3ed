using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Slipway.EndToEnd;

/// <summary>A project that trains in a second, in a folder of its own outside any work tree, with a home of its own.</summary>
public sealed class TinyProject : IDisposable
{
    /// <summary>Of every project's key.</summary>
    public const string Passphrase = "correct horse";

    private static readonly TimeSpan AtMost = TimeSpan.FromMinutes(3);

    public TinyProject(string? folder = null)
    {
        Home = Directory.CreateTempSubdirectory("slipway-home-").FullName;
        Folder = folder ?? Directory.CreateTempSubdirectory("slipway tiny ").FullName;
        Directory.CreateDirectory(Folder);
        CopyFolder(Path.Combine(RepositoryRoot.Folder, "tests/Slipway.EndToEnd/tiny"), Folder);
        Directory.CreateDirectory(Path.Combine(Folder, "data"));
        File.WriteAllText(Path.Combine(Folder, "data/trips.csv"), Trips());
    }

    public string Folder { get; }

    public string Home { get; set; }

    /// <summary>What commands find in their environment besides.</summary>
    public Dictionary<string, string> Variables { get; } = [];

    /// <summary>Program and first arguments that commands are started by; none for Slipway itself.</summary>
    public string[] Around { get; set; } = [];

    public string PathOf(string relative) => Path.Combine(Folder, relative);

    /// <summary>Replaces text in a file of the project; the text must be there.</summary>
    public void Edit(string file, string from, string to)
    {
        var text = File.ReadAllText(PathOf(file));
        Assert.Contains(from, text);
        File.WriteAllText(PathOf(file), text.Replace(from, to));
    }

    /// <summary>The spec, with a release to production that switches at once, in a file of that folder.</summary>
    public string SpecOfSwitching(string folder)
    {
        var file = Path.Combine(folder, "slipway.yaml");
        File.WriteAllText(file, File.ReadAllText(PathOf("slipway.yaml")) + "\nrelease:\n  production: { strategy: blue-green }\n");
        return file;
    }

    /// <summary>The key that is found without being named, as <c>slipway keys new</c> leaves it but for fewer rounds of its passphrase, which each signing verb would spend a quarter of a second on.</summary>
    public void MakeKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var folder = Directory.CreateDirectory(Path.Combine(Home, ".config/slipway/keys"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
        var file = Path.Combine(folder, "default.key");
        File.WriteAllText(file, key.ExportEncryptedPkcs8PrivateKeyPem(Passphrase, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1_000)));
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(file + ".pub", key.ExportSubjectPublicKeyInfoPem() + "\n");
    }

    /// <summary>Runs the command line to its end.</summary>
    public Ended Run(params string[] arguments) => RunWith("", arguments);

    /// <summary>As <see cref="Run"/>, with something on standard input.</summary>
    public Ended RunWith(string input, params string[] arguments)
    {
        using var process = Start(input, arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(AtMost))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"slipway {string.Join(' ', arguments)} did not end: {errors.Result}");
        }

        return new Ended(process.ExitCode, output.Result, errors.Result);
    }

    public Process Start(params string[] arguments) => Start("", arguments);

    private Process Start(string input, string[] arguments)
    {
        string[] line = [.. Around, RepositoryRoot.Slipway, .. arguments];
        var start = new ProcessStartInfo(line[0]) { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var argument in line[1..])
            start.ArgumentList.Add(argument);
        start.Environment["HOME"] = Home;
        start.Environment.Remove("XDG_CONFIG_HOME");
        start.Environment["NO_COLOR"] = "1";
        start.Environment["SLIPWAY_KEY_PASSPHRASE"] = Passphrase;
        start.Environment.Remove("SLIPWAY_SERVER");
        start.Environment.Remove("SLIPWAY_TOKEN");
        foreach (var (name, value) in Variables)
            start.Environment[name] = value;
        var process = Process.Start(start)!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        return process;
    }

    public void Dispose()
    {
        foreach (var folder in new[] { Folder, Home })
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
    }

    public static void CopyFolder(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target, overwrite: true);
        }
    }

    /// <summary>6,000 rows over 90 days of 2020; the chance of being late rises with x.</summary>
    private static string Trips()
    {
        var text = new StringBuilder("day,x,kind,late\n");
        var state = 12345u;
        double Next() => (state = state * 1664525 + 1013904223) / 4294967296.0;
        for (var i = 0; i < 6000; i++)
        {
            var day = new DateOnly(2020, 1, 1).AddDays(i * 90 / 6000);
            var x = Next();
            text.Append(CultureInfo.InvariantCulture, $"{day:yyyy-MM-dd},{x:0.0000},{"abc"[(int)(Next() * 3)]},{(Next() < 0.1 + 0.7 * x ? 1 : 0)}\n");
        }

        return text.ToString();
    }
}

/// <param name="Code">Exit code.</param>
public sealed record Ended(int Code, string Output, string Errors)
{
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    /// <summary>For failure messages.</summary>
    public string All => $"exit {Code}\n{Output}\n{Errors}";
}
