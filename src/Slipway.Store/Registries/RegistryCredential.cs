using System.Text;

namespace Slipway.Store.Registries;

/// <summary>Who is calling a registry. Its text never shows the secret.</summary>
/// <param name="Username">Empty for an identity token.</param>
/// <param name="Secret">Password, access token or identity token.</param>
/// <param name="IsIdentityToken">Whether it is exchanged at the registry's token server rather than shown to the registry.</param>
public sealed record RegistryCredential(string Username, string Secret, bool IsIdentityToken = false)
{
    /// <summary>RFC 7617 §2.</summary>
    internal string Basic => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Username}:{Secret}"));

    public override string ToString() => Username;
}
