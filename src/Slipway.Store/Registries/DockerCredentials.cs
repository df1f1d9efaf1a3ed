using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Slipway.Primitives.Faults;

namespace Slipway.Store.Registries;

/// <summary>Credentials as <c>docker login</c> and other tools keep them: <c>config.json</c> and the helper programs that it names.</summary>
/// <remarks>Source: docker's configuration reference ("auths", "credsStore", "credHelpers") and docker-credential-helpers' protocol.</remarks>
/// <param name="folder">The folder of <c>config.json</c>, which need not be there.</param>
/// <param name="searchPath">Folders of helper programs, divided by colons, as in <c>PATH</c>.</param>
/// <param name="time">Measures a helper's patience.</param>
public sealed class DockerCredentials(string folder, string searchPath, TimeProvider time)
{
    /// <summary>Most bytes of <c>config.json</c>; a larger one is a fault.</summary>
    private const int MaxConfiguration = 1 << 20;

    /// <summary>Most characters of a helper's answer; tokens of cloud registries have some thousand. A longer one is a fault.</summary>
    private const int MaxAnswer = 64 * 1024;

    /// <summary>How long a helper may take, which may ask a cloud for a token; then it is ended, and that is a fault.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>
    /// What a helper learns of this process's environment: where programs and its own files are, the session whose keyring it opens, and the way to the network.
    /// Nothing else, so that no secret of ours goes to a program that a file names.
    /// </summary>
    private static readonly string[] Handed =
    [
        "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TERM", "LANG", "LANGUAGE", "DOCKER_CONFIG", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "GNUPGHOME", "GPG_TTY",
        "PASSWORD_STORE_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    ];

    private static readonly string[] HandedPrefixes = ["LC_", "XDG_"];

    private string File => Path.Combine(folder, "config.json");

    /// <summary>The credential for a registry, or null where nobody has logged in to it.</summary>
    /// <param name="host">As references name it, such as <c>registry.example.org:5000</c>.</param>
    /// <exception cref="SlipwayException">The file is unusable (exit 2); a helper is not there or fails (exit 3).</exception>
    public async Task<RegistryCredential?> FindAsync(string host, CancellationToken cancellation)
    {
        if (Read() is not { } configuration)
            return null;
        var names = Names(host);
        if (names.Select(name => configuration.CredHelpers?.GetValueOrDefault(name)).OfType<string>().FirstOrDefault() is { } helper)
            return await AskAsync(helper, names[0], cancellation);
        if (configuration.CredsStore is { Length: > 0 } store && await AskAsync(store, names[0], cancellation) is { } kept)
            return kept;
        return names.Select(name => configuration.Auths?.GetValueOrDefault(name)).FirstOrDefault(login => login is not null) is { } found ? Parse(found, host) : null;
    }

    /// <summary>The names under which tools keep a host, the usual one first.</summary>
    private static string[] Names(string host) =>
        host == RegistryAddress.DockerHub
            ? ["https://index.docker.io/v1/", host]
            : [host, $"https://{host}", $"https://{host}/", $"https://{host}/v1/", $"https://{host}/v2/", $"http://{host}"];

    private DockerConfiguration? Read()
    {
        try
        {
            using var file = System.IO.File.OpenRead(File);
            if (file.Length > MaxConfiguration)
                throw Unusable($"has {file.Length} bytes, allowed {MaxConfiguration}");
            return JsonSerializer.Deserialize(file, RegistryJson.Default.DockerConfiguration);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault("no-permission", "cannot be read", File, Help: "make it readable for this user"), e);
        }
        catch (JsonException e)
        {
            // The parser's own message may show what stands there, and that may be a secret.
            throw Unusable($"is no configuration of docker's: line {e.LineNumber + 1} is not as expected");
        }
    }

    private RegistryCredential Parse(DockerLogin login, string host)
    {
        if (login.IdentityToken is { Length: > 0 } identity)
            return new RegistryCredential("", identity, IsIdentityToken: true);
        if (login is { Username.Length: > 0, Password: not null })
            return new RegistryCredential(login.Username, login.Password);
        try
        {
            var text = Encoding.UTF8.GetString(Convert.FromBase64String(login.Auth ?? ""));
            if (text.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon)
                return new RegistryCredential(text[..colon], text[(colon + 1)..].TrimEnd('\0'));
        }
        catch (FormatException)
        {
            // Told below.
        }

        throw Unusable($"has no name and password for {host} in its \"auths\"");
    }

    private SlipwayException Unusable(string how) =>
        new(ExitCode.UnusableInput, new Fault("docker-config-unusable", how, File, Help: "mend it, log in again, or name another folder with DOCKER_CONFIG"));

    private async Task<RegistryCredential?> AskAsync(string helper, string server, CancellationToken cancellation)
    {
        if (helper.Length > 64 || !helper.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            throw Unusable("names a credential helper with other characters than letters, digits, '-', '_' and '.'");
        var program = "docker-credential-" + helper;
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        using var process = Start(program);
        try
        {
            process.ErrorDataReceived += static (_, _) => { };      // emptied, and told to nobody: it may show a secret
            process.BeginErrorReadLine();
            await process.StandardInput.WriteAsync(server.AsMemory(), either.Token);
            process.StandardInput.Close();
            var answer = new char[MaxAnswer];
            var length = await process.StandardOutput.ReadBlockAsync(answer, either.Token);
            if (length == MaxAnswer)
                throw Failed(program, $"answered more than {MaxAnswer} characters");
            await process.WaitForExitAsync(either.Token);
            return process.ExitCode == 0 ? Parse(answer.AsSpan(0, length), program)
                : NotFound(answer.AsSpan(0, length)) ? null
                : throw Failed(program, $"exited with {process.ExitCode}");
        }
        catch (IOException e)
        {
            throw Failed(program, "ended before it was asked", e);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw Failed(program, $"did not answer within {Patience.TotalSeconds} seconds", e);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private Process Start(string program)
    {
        var path = searchPath.Split(':', StringSplitOptions.RemoveEmptyEntries).Where(Path.IsPathRooted)
            .Select(folder => Path.Combine(folder, program)).FirstOrDefault(System.IO.File.Exists)
            ?? throw Failed(program, "is not there");
        var start = new ProcessStartInfo(path, ["get"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in start.Environment.Keys.Where(name => !Handed.Contains(name) && !HandedPrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))).ToArray())
            start.Environment.Remove(name);
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw Failed(program, "cannot be started", e);
        }
    }

    /// <summary>The protocol's own words; helpers write them to standard output.</summary>
    private static bool NotFound(ReadOnlySpan<char> answer) => answer.Contains("credentials not found", StringComparison.OrdinalIgnoreCase);

    private static RegistryCredential Parse(ReadOnlySpan<char> answer, string program)
    {
        try
        {
            if (JsonSerializer.Deserialize(answer, RegistryJson.Default.HelperAnswer) is { Secret.Length: > 0 } found)
                return found.Username is "<token>" ? new RegistryCredential("", found.Secret, IsIdentityToken: true) : new RegistryCredential(found.Username ?? "", found.Secret);
        }
        catch (JsonException)
        {
            // Told below, without the answer.
        }

        throw Failed(program, "answered something else than a name and a secret");
    }

    private static SlipwayException Failed(string program, string how, Exception? cause = null) =>
        new(ExitCode.NotThere, new Fault(
            "credential-helper-failed", $"the credential helper {program} {how}",
            Help: "docker's config.json names it; call it by hand with `get`, or say --username and --password-stdin"), cause);
}
